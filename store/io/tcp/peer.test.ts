import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimClock } from '../../sim/sim-clock.ts';
import { settle } from '../settle.ts';
import { systemRandom } from '../system-random.ts';
import type { Link } from './link.ts';
import { Peer, type PeerDeps } from './peer.ts';
import { outgoing } from './send-queue.ts';
import { TEST_OPTIONS } from './test-nodes.ts';

type Sent = { send(item: unknown): boolean };

test('who has just made a link to this node is dialled at once, and is sent over it what waits', async () => {
  const dialled: PromiseWithResolvers<never>[] = [];
  const sent: unknown[] = [];
  const link: Sent = { send: (item) => sent.push(item) > 0 };
  let accepted: Sent | undefined;
  const unlinked: string[] = [];
  const deps = {
    clock: new SimClock(0),
    random: systemRandom,
    handlers: { onUnlink: (address: string) => unlinked.push(address) },
    events: { onDropped() {}, onUnreachable() {} },
    hasRoom: () => true,
    acceptedLink: () => accepted,
    onIdle() {},
    openSocket() {
      dialled.push(Promise.withResolvers<never>());
      return dialled.at(-1)?.promise;
    },
  } as unknown as PeerDeps;
  const peer = new Peer({ ...TEST_OPTIONS, reconnectMsMax: 60_000, address: '127.0.0.1:1' }, deps);
  const reply = () => peer.send(outgoing('replica', 'normal', Buffer.from('an answer')));
  assert.equal(reply(), true, 'it waits for the first link');
  dialled[0]?.reject(new Error('ECONNREFUSED'));
  await settle();
  assert.equal(reply(), false, 'nobody is there');
  assert.deepEqual([sent.length, unlinked.length], [0, 1]);
  peer.wake(link as unknown as Link);
  assert.equal(dialled.length, 2, 'no time has passed');
  assert.equal(reply(), true, 'it waits for the second link');
  accepted = link;
  peer.wake(link as unknown as Link);
  assert.equal(sent.length, 1, 'what waited is sent');
  assert.equal(reply(), true);
  assert.deepEqual([sent.length, dialled.length], [2, 2], 'the second link is under way');
  dialled[1]?.reject(new Error('ETIMEDOUT'));
  await settle();
  assert.equal(reply(), true);
  assert.deepEqual([sent.length, unlinked.length], [3, 1], 'what was sent over the other link is not lost');
  peer.close('the test ends', 'CLOSED');
});
