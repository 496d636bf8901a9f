import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimClock } from '../../sim/sim-clock.ts';
import { settle } from '../settle.ts';
import { systemRandom } from '../system-random.ts';
import { Peer, type PeerDeps } from './peer.ts';
import { outgoing } from './send-queue.ts';
import { TEST_OPTIONS } from './test-nodes.ts';

test('who has just made a link to this node is dialled at once, and what is sent then waits for the link', async () => {
  const dialled: PromiseWithResolvers<never>[] = [];
  const deps = {
    clock: new SimClock(0),
    random: systemRandom,
    handlers: {},
    events: { onDropped() {}, onUnreachable() {} },
    hasRoom: () => true,
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
  peer.wake();
  assert.equal(dialled.length, 2, 'no time has passed');
  assert.equal(reply(), true);
  peer.wake();
  assert.equal(dialled.length, 2, 'it is under way');
  peer.close('the test ends', 'CLOSED');
});
