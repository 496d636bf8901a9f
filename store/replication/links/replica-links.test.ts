import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrng } from '../../core/prng/prng.ts';
import { toEpoch } from '../../core/topology/types.ts';
import { settle } from '../../io/settle.ts';
import type { Hello } from '../../peer/messages.ts';
import { encodeBatch } from '../../peer/test-replica-messages.ts';
import { Network } from '../../sim/network/network.ts';
import { SimTransport } from '../../sim/network/sim-transport.ts';
import { Switchboard } from '../../sim/network/switchboard.ts';
import { ENCODING } from '../../sim/network/wire.ts';
import { NodeClock } from '../../sim/node-clock.ts';
import { SimProcess } from '../../sim/sim-process.ts';
import { createSimRandom } from '../../sim/sim-random.ts';
import { Timeline } from '../../sim/timeline.ts';
import type { ReplicaOutcome } from '../types.ts';
import { ReplicaLinks, type ReplicaLinksOptions } from './replica-links.ts';
import { askFor, EchoReplica, storeOf } from './test-replica.ts';

const OPTIONS = { frameBytesMax: 4096, replicaInFlightMax: 1000, replicaInFlightBytesMax: 1 << 20 };
const addressOf = (member: number): string => `m${member}.1:7401`;
type World = ReturnType<typeof createWorld>;

function createWorld(seed = 1) {
  const timeline = new Timeline(settle);
  const network = new Network({ timeline, prng: createPrng(seed) });
  const watch = { onSend() {}, onDeliver() {}, onLink() {} };
  const board = new Switchboard({ network, timeline, watch, wire: ENCODING });
  const run = (ms: number): Promise<void> => timeline.runUntil(timeline.nowMs + ms, () => false);
  return { timeline, network, board, run };
}

/** Member `number` of a cluster in which everybody has one address. */
async function startMember(world: World, number: number, change: Partial<ReplicaLinksOptions> = {}) {
  const { timeline, board } = world;
  const process = new SimProcess(timeline);
  const clock = new NodeClock({ rate: 1, wallOffsetMs: 0 }, { timeline, process });
  const address = addressOf(number);
  const options = { machine: `m${number}`, address, connectTimeoutMs: 3000, reconnectMs: 100 };
  const transport = new SimTransport(options, { board, process, clock });
  const replica = new EchoReplica(number);
  const links = new ReplicaLinks(
    { ...OPTIONS, self: number, ...change },
    { clock, random: createSimRandom(number), defer: queueMicrotask, transport, addressOf, replica },
  );
  const hello = helloOf(number);
  await transport.start({
    hello: () => hello,
    judge: () => undefined,
    onMessage: (from, message) => {
      if (message.type === 'replica') links.receive(from, message.batch);
    },
    onRequest: async () => ({ type: 'busy', message: '' }),
    onLink() {},
    onRefused() {},
    onUnlink: (lost) => links.onUnlink(lost),
  });
  return { links, replica, transport, process, clock };
}

const helloOf = (number: number): Hello => ({
  protocolMin: 1,
  protocolMax: 1,
  name: `m${number}`,
  directoryId: `m${number}`,
  peerAddress: addressOf(number),
  version: '0',
  clusterId: undefined,
  member: { number, incarnation: 1, lives: [`life-of-${number}`] },
});

/** Asks `count` times in one turn; the outcomes come one for each, in whatever order. */
function askMany(links: ReplicaLinks, to: number, count: number, timeoutMs = 1000) {
  const outcomes = new Map<number, ReplicaOutcome[]>();
  for (let i = 0; i < count; i++) {
    outcomes.set(i, []);
    links.askWith(askFor(to, String(i)), { timeoutMs }, (outcome) => outcomes.get(i)?.push(outcome));
  }
  return outcomes;
}

/** How many ended as what; fails where one ended twice, or with the answer of another one. */
function tally(outcomes: ReadonlyMap<number, readonly ReplicaOutcome[]>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [i, each] of outcomes) {
    assert.ok(each.length <= 1, `request ${i} ended ${each.length} times`);
    const outcome = each[0];
    if (outcome?.type === 'reply')
      assert.equal(outcome.reply.body.type === 'held' && outcome.reply.body.version.wallMs, i);
    const name = outcome === undefined ? 'open' : outcome.type === 'reply' ? 'reply' : outcome.code;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

test('what is asked in one turn shares frames, and so do the answers', async () => {
  const world = createWorld();
  const [a, b] = [await startMember(world, 1), await startMember(world, 2)];
  const outcomes = askMany(a.links, 2, 50);
  assert.equal(a.links.waitingFor(2).requests, 50);
  await world.run(100);
  assert.deepEqual(tally(outcomes), { reply: 50 });
  assert.deepEqual([a.links.counters.framesSent, b.links.counters.framesSent], [1, 1]);
  assert.deepEqual(a.links.waitingFor(2), { requests: 0, bytes: 0 });
});

test('more than fits into frameBytesMax takes more frames, and a larger record one of its own', async () => {
  const world = createWorld();
  const [a] = [await startMember(world, 1), await startMember(world, 2)];
  const outcomes = [1, 2, 3].map((i) =>
    a.links.ask(storeOf(2, `${i}`, new Uint8Array(3000)), { timeoutMs: 500 }),
  );
  const large = a.links.ask(storeOf(2, '9', new Uint8Array(100_000)), { timeoutMs: 500 });
  await world.run(100);
  for (const outcome of await Promise.all([...outcomes, large])) assert.equal(outcome.type, 'reply');
  assert.equal(a.links.counters.framesSent, 4);
});

test('a request to this member is a call: no frame, and no callback before askWith has returned', async () => {
  const world = createWorld();
  const a = await startMember(world, 1);
  for (const isPrompt of [true, false]) {
    a.replica.isPrompt = isPrompt;
    const outcomes = askMany(a.links, 1, 3);
    assert.deepEqual(tally(outcomes), { open: 3 });
    await settle();
    assert.deepEqual(tally(outcomes), { reply: 3 });
  }
  assert.equal(a.links.counters.framesSent, 0);
  assert.deepEqual(a.replica.served, ['0', '1', '2', '0', '1', '2']);
});

test('a replica that answers in its own time shares frames per turn, and gets the asker time as its signal', async () => {
  const world = createWorld();
  const [a, b] = [await startMember(world, 1), await startMember(world, 2)];
  b.replica.isPrompt = false;
  b.replica.delay = () => new Promise<void>((resolve) => b.clock.setTimer(20, resolve));
  const outcomes = askMany(a.links, 2, 10);
  await world.run(100);
  assert.deepEqual(tally(outcomes), { reply: 10 });
  assert.equal(new Set(b.replica.signals).size, 1);
  assert.equal(b.replica.signals[0]?.aborted, false);
  await world.run(1100);
  assert.equal(b.replica.signals[0]?.aborted, true);
});

test('lost, repeated and overtaking batches: every request ends once, with its own answer or in time', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = createWorld(seed);
    const members = [await startMember(world, 1), await startMember(world, 2), await startMember(world, 3)];
    const a = members[0]!;
    world.network.weather = { ...world.network.weather, lossRate: 0.1, duplicateRate: 0.3, delayMsMean: 20 };
    const all: ReturnType<typeof askMany>[] = [];
    for (let turn = 0; turn < 30; turn++) {
      all.push(askMany(a.links, 2, 5, 200), askMany(a.links, 3, 5, 200));
      await world.run(10);
    }
    await world.run(3000);
    const counts = all.map(tally);
    const sum = (name: string): number => counts.reduce((total, each) => total + (each[name] ?? 0), 0);
    assert.equal(sum('open'), 0);
    assert.equal(sum('reply') + sum('TIMEOUT') + sum('UNREACHABLE'), 300);
    assert.ok(sum('reply') > 150 && sum('TIMEOUT') > 0, `seed ${seed}: ${JSON.stringify(counts)}`);
    assert.ok(a.links.counters.repliesIgnored > 0);
    assert.deepEqual(a.links.waitingFor(2), { requests: 0, bytes: 0 });
  }
});

test('a member that dies with requests under way costs no timeout, and the next ones neither', async () => {
  const world = createWorld();
  const [a, b] = [await startMember(world, 1), await startMember(world, 2)];
  askMany(a.links, 2, 1);
  await world.run(50);
  b.replica.isPrompt = false;
  b.replica.delay = () => new Promise(() => {});
  const outcomes = askMany(a.links, 2, 20, 60_000);
  await world.run(20);
  b.transport.disconnect();
  b.process.kill();
  await world.run(20);
  assert.deepEqual(tally(outcomes), { UNREACHABLE: 20 });
  const next = askMany(a.links, 2, 5, 60_000);
  await world.run(20);
  assert.deepEqual(tally(next), { UNREACHABLE: 5 });
  const afterThat = askMany(a.links, 2, 5, 60_000);
  await settle();
  assert.deepEqual(tally(afterThat), { UNREACHABLE: 5 });
});

test('a member behind a cut costs its timeout, and nobody else notices', async () => {
  const world = createWorld();
  const [a] = [await startMember(world, 1), await startMember(world, 2), await startMember(world, 3)];
  askMany(a.links, 2, 1);
  await world.run(50);
  world.network.cut('m2', 'm1');
  const [cut, other] = [askMany(a.links, 2, 5, 500), askMany(a.links, 3, 5, 500)];
  await world.run(20);
  assert.deepEqual([tally(cut), tally(other)], [{ open: 5 }, { reply: 5 }]);
  await world.run(500);
  assert.deepEqual(tally(cut), { TIMEOUT: 5 });
});

test('a slow member delays no other one, and beyond its limits is refused at once', async () => {
  const world = createWorld();
  const a = await startMember(world, 1, { replicaInFlightMax: 100 });
  const b = await startMember(world, 2);
  await startMember(world, 3);
  b.replica.isPrompt = false;
  b.replica.delay = () => new Promise<void>((resolve) => b.clock.setTimer(2000, resolve));
  const slow = askMany(a.links, 2, 150, 5000);
  await settle();
  assert.deepEqual(tally(slow), { OVERLOADED: 50, open: 100 });
  for (let turn = 0; turn < 20; turn++) {
    const quick = askMany(a.links, 3, 100, 5000);
    await world.run(40);
    assert.deepEqual(tally(quick), { reply: 100 });
  }
  await world.run(2000);
  assert.deepEqual(tally(slow), { OVERLOADED: 50, reply: 100 });
});

test('bytes are limited too, but one request always fits', async () => {
  const world = createWorld();
  const a = await startMember(world, 1, { replicaInFlightBytesMax: 1000 });
  await startMember(world, 2);
  const ask = (bytes: number) => a.links.ask(storeOf(2, '7', new Uint8Array(bytes)), { timeoutMs: 1000 });
  const all = [ask(5000), ask(1)];
  await world.run(50);
  const [large, refused] = await Promise.all(all);
  assert.equal(large?.type, 'reply');
  assert.deepEqual(refused, { type: 'unreachable', code: 'OVERLOADED' });
});

test('a member without an address is unreachable at once', async () => {
  const { links } = await startAlone(() => undefined);
  const outcomes = askMany(links, 2, 2);
  await settle();
  assert.deepEqual(tally(outcomes), { UNREACHABLE: 2 });
});

/** Links that send into a list, of member 1. */
async function startAlone(where: (member: number) => string | undefined = addressOf) {
  const world = createWorld();
  const process = new SimProcess(world.timeline);
  const clock = new NodeClock({ rate: 1, wallOffsetMs: 0 }, { timeline: world.timeline, process });
  const sent: Uint8Array[] = [];
  const replica = new EchoReplica(1);
  const transport = {
    send: (_address: string, message: { readonly type: string; readonly batch?: Uint8Array }) => {
      sent.push(message.batch ?? new Uint8Array(0));
      return true;
    },
  };
  const random = { unit: () => 0, bytes: (length: number) => new Uint8Array(length).fill(7) };
  const deps = { clock, random, defer: queueMicrotask, transport, addressOf: where, replica };
  return { links: new ReplicaLinks({ ...OPTIONS, self: 1 }, deps), sent, replica, world };
}

const SESSION = [7, 7, 7, 7, 7, 7].reduce((sum, byte) => sum * 256 + byte, 0);
const heldBy = (from: number, session: number): Uint8Array =>
  encodeBatch({
    type: 'replies',
    session,
    from,
    items: [
      {
        id: 1,
        reply: {
          from,
          epoch: toEpoch(4),
          body: { type: 'held', version: { wallMs: 0, counter: 0, member: from } },
        },
      },
    ],
  });

test('a reply counts only from the member that was asked, and only in the session that asked', async () => {
  const { links } = await startAlone();
  const outcomes = askMany(links, 2, 1);
  await settle();
  links.receive(helloOf(3), heldBy(3, SESSION));
  links.receive(helloOf(3), heldBy(2, SESSION));
  links.receive(helloOf(2), heldBy(3, SESSION));
  links.receive(helloOf(2), heldBy(2, SESSION - 1));
  assert.deepEqual(tally(outcomes), { open: 1 });
  assert.equal(links.counters.repliesIgnored, 4);
  links.receive(helloOf(2), heldBy(2, SESSION));
  assert.deepEqual(tally(outcomes), { reply: 1 });
  links.receive(helloOf(2), heldBy(2, SESSION));
  assert.deepEqual(tally(outcomes), { reply: 1 });
});

test('a reply to a request that has not left yet is none', async () => {
  const { links } = await startAlone();
  askMany(links, 2, 1);
  await settle();
  links.receive(helloOf(2), heldBy(2, SESSION));
  const second = askMany(links, 2, 1);
  const { reply } = { reply: heldBy(2, SESSION) };
  reply[16] = 2;
  links.receive(helloOf(2), reply);
  assert.deepEqual(tally(second), { open: 1 });
});

test('a batch that is none, or of a node that is no member, costs its link and nothing else', async () => {
  const world = createWorld();
  const [a, b, c] = [await startMember(world, 1), await startMember(world, 2), await startMember(world, 3)];
  askMany(c.links, 2, 1);
  askMany(a.links, 2, 1);
  await world.run(50);
  assert.equal(a.transport.links()[0]?.state, 'open');
  a.transport.send(addressOf(2), { type: 'replica', batch: new Uint8Array([9, 9, 9]) });
  await world.run(50);
  assert.deepEqual(
    b.transport.links().map(({ name }) => name),
    ['m3'],
  );
  const { member: _, ...stranger } = helloOf(9);
  assert.throws(() => b.links.receive({ ...stranger, member: undefined }, heldBy(2, 1)), /no member/);
  const outcomes = askMany(c.links, 2, 3);
  await world.run(50);
  assert.deepEqual(tally(outcomes), { reply: 3 });
});

test('stop ends what waits, what comes, and what is served', async () => {
  const world = createWorld();
  const [a, b] = [await startMember(world, 1), await startMember(world, 2)];
  b.replica.isPrompt = false;
  b.replica.delay = (signal) => new Promise((resolve) => signal.addEventListener('abort', resolve));
  const waiting = askMany(a.links, 2, 3, 60_000);
  await world.run(50);
  b.links.stop();
  await world.run(50);
  assert.deepEqual(tally(waiting), { reply: 3 });
  const refused = await Promise.all([a.links.ask(askFor(2, '1'), { timeoutMs: 500 }), world.run(50)]);
  assert.deepEqual(refused[0].type === 'reply' && refused[0].reply.body, {
    type: 'refused',
    code: 'STOPPING',
    message: 'this node is stopping',
  });
  const open = askMany(b.links, 1, 2);
  await settle();
  assert.deepEqual(tally(open), { STOPPING: 2 });
  a.replica.isPrompt = false;
  a.replica.delay = b.replica.delay;
  const own = askMany(a.links, 1, 2);
  a.links.stop();
  assert.deepEqual(tally(own), { STOPPING: 2 });
  await settle();
  assert.deepEqual([a.replica.served.length, tally(own)], [2, { STOPPING: 2 }]);
});
