import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../io/settle.ts';
import type { Hello } from '../../peer/messages.ts';
import { decodeBatch } from '../../peer/replica-codec.ts';
import type { ReplicaRequest } from '../../peer/replica-messages.ts';
import { encodeBatch } from '../../peer/test-replica-messages.ts';
import { NodeClock } from '../../sim/node-clock.ts';
import { SimProcess } from '../../sim/sim-process.ts';
import { createSimRandom } from '../../sim/sim-random.ts';
import { Timeline } from '../../sim/timeline.ts';
import { ReplicaLinks } from './replica-links.ts';
import { askFor, EchoReplica, storeOf } from './test-replica.ts';

const OPTIONS = { frameBytesMax: 65_536, replicaInFlightMax: 1000, replicaInFlightBytesMax: 1 << 20 };
const SESSION = 7;
const SERVED_MAX = 65_536;
const BATCH = 4096;
const MIB = 1 << 20;

const helloOf = (number: number): Hello => ({
  ...{ protocolMin: 1, protocolMax: 1, name: `m${number}`, directoryId: `m${number}`, version: '0' },
  ...{ peerAddress: `m${number}`, clusterId: undefined },
  member: { number, incarnation: 1, lives: [`life-of-${number}`] },
});

const requestsOf = (requests: readonly ReplicaRequest[]): Uint8Array =>
  encodeBatch({
    ...{ type: 'requests', session: SESSION, to: 1 },
    items: requests.map((request, id) => ({ id: id + 1, remainingMs: 60_000, request })),
  });

/** Member 1, whose replica answers nothing before `release`; what it says to each of the others, by their addresses. */
function startSlow() {
  const timeline = new Timeline(settle);
  const clock = new NodeClock({ rate: 1, wallOffsetMs: 0 }, { timeline, process: new SimProcess(timeline) });
  const said = new Map<string, string[]>();
  const send = (address: string, message: { readonly type: string; readonly batch?: Uint8Array }) => {
    const batch = decodeBatch(message.batch as Uint8Array);
    assert.ok(batch.type === 'replies');
    const words = batch.items.map(({ reply: { body } }) => (body.type === 'refused' ? body.code : body.type));
    said.set(address, [...(said.get(address) ?? []), ...words]);
    return true;
  };
  const replica = new EchoReplica(1);
  replica.isPrompt = false;
  const { promise, resolve: release } = Promise.withResolvers<void>();
  replica.delay = () => promise;
  const links = new ReplicaLinks(
    { ...OPTIONS, self: 1 },
    {
      ...{ clock, random: createSimRandom(1), defer: queueMicrotask, replica },
      ...{ transport: { send }, addressOf: () => undefined },
    },
  );
  return { links, said, release };
}

test('of one member so many requests are under way here, whatever others ask; more are refused until some are answered', async () => {
  const { links, said, release } = startSlow();
  const many = requestsOf(Array.from({ length: BATCH }, (_, i) => askFor(1, String(i))));
  const one = requestsOf([askFor(1, '0')]);
  for (let i = 0; i < SERVED_MAX / BATCH; i++) links.receive(helloOf(2), many);
  await settle();
  assert.equal(said.size, 0);
  links.receive(helloOf(2), one);
  links.receive(helloOf(3), one);
  await settle();
  assert.deepEqual([...said], [['m2', ['OVERLOADED']]]);
  assert.equal(links.counters.overloaded, 1);

  release();
  await settle();
  assert.deepEqual(said.get('m3'), ['held']);
  assert.equal(said.get('m2')?.filter((word) => word === 'held').length, SERVED_MAX);
  links.receive(helloOf(2), one);
  await settle();
  assert.equal(said.get('m2')?.at(-1), 'held');
});

test('so are the bytes of requests of one member: one that begins below 256 MiB is taken', async () => {
  const { links, said, release } = startSlow();
  const large = requestsOf([storeOf(1, '0', new Uint8Array(8 * MIB))]);
  for (let bytes = 0; bytes < 256 * MIB; bytes += 8 * MIB) links.receive(helloOf(2), large);
  await settle();
  assert.equal(said.size, 0);
  links.receive(helloOf(2), requestsOf([askFor(1, '0')]));
  links.receive(helloOf(3), large);
  await settle();
  assert.deepEqual([...said], [['m2', ['OVERLOADED']]]);
  release();
  await settle();
  assert.deepEqual(said.get('m3'), ['held']);
});
