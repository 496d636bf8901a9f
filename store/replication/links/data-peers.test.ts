import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toEpoch } from '../../core/topology/types.ts';
import { settle } from '../../io/settle.ts';
import type { DataReply, DataRequest } from '../../peer/data-messages.ts';
import type { PeerReply } from '../../peer/messages.ts';
import { PeerError } from '../../ports/transport.ts';
import { SimClock } from '../../sim/sim-clock.ts';
import { TransportDataPeers } from './data-peers.ts';
import { SharedSignals } from './shared-signals.ts';

const explain = (to: number): DataRequest => ({
  to,
  type: 'explain',
  partition: 1,
  epoch: toEpoch(1),
  namespaceId: 1,
  key: new Uint8Array([1]),
});
const REFUSED: DataReply = { type: 'data-refused', code: 'NOT_OWNER', message: '', epoch: toEpoch(3) };

function createPeers(
  answer: () => Promise<PeerReply>,
  serve: () => Promise<DataReply> = async () => REFUSED,
) {
  const clock = new SimClock();
  const signals = new SharedSignals({ clock });
  const addresses: string[] = [];
  const request = (address: string): Promise<PeerReply> => {
    addresses.push(address);
    return answer();
  };
  const addressOf = (member: number) => (member === 9 ? undefined : `member-${member}`);
  const peers = new TransportDataPeers({ self: 1 }, { transport: { request }, signals, addressOf, serve });
  return { peers, clock, addresses };
}

const options = { timeoutMs: 1000 };

test('TransportDataPeers: a member is asked at its address, and this one is called', async () => {
  const { peers, addresses } = createPeers(async () => ({ type: 'data', reply: REFUSED }));
  assert.deepEqual(await peers.request(explain(2), options), { type: 'reply', reply: REFUSED });
  assert.deepEqual(await peers.request(explain(1), options), { type: 'reply', reply: REFUSED });
  assert.deepEqual(addresses, ['member-2']);
});

const ends: Record<string, [() => Promise<PeerReply>, string]> = {
  'a link that broke': [() => Promise.reject(error('UNREACHABLE')), 'UNREACHABLE'],
  'no answer': [() => Promise.reject(error('TIMEOUT')), 'TIMEOUT'],
  'a shared signal that ended first': [() => Promise.reject(error('ABORTED')), 'TIMEOUT'],
  'too many requests there': [async () => ({ type: 'busy', message: '' }), 'OVERLOADED'],
  'an answer to something else': [async () => ({ type: 'unknown', message: '' }), 'FAILED'],
  'a transport that fails': [() => Promise.reject(new TypeError('broken')), 'FAILED'],
};
const error = (code: PeerError['code']) => new PeerError(code, '', { isUnsent: false });
for (const [what, [answer, code]] of Object.entries(ends)) {
  test(`TransportDataPeers never rejects: ${what} is ${code}`, async () => {
    const { peers } = createPeers(answer);
    assert.deepEqual(await peers.request(explain(2), options), { type: 'unreachable', code });
  });
}

test('TransportDataPeers never rejects: a member without an address, and this one failing or too slow', async () => {
  const { peers } = createPeers(
    async () => ({ type: 'data', reply: REFUSED }),
    () => Promise.reject(new Error('x')),
  );
  assert.deepEqual(await peers.request(explain(9), options), { type: 'unreachable', code: 'UNREACHABLE' });
  assert.deepEqual(await peers.request(explain(1), options), { type: 'unreachable', code: 'FAILED' });
  const slow = createPeers(
    async () => ({ type: 'data', reply: REFUSED }),
    () => new Promise(() => {}),
  );
  const outcome = slow.peers.request(explain(1), options);
  await settle();
  slow.clock.advance(1100);
  assert.deepEqual(await outcome, { type: 'unreachable', code: 'TIMEOUT' });
});
