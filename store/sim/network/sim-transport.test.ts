import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrng } from '../../core/prng/prng.ts';
import { settle } from '../../io/settle.ts';
import type { Hello, HelloRefusal, PeerMessage, PeerReply, PeerRequest } from '../../peer/messages.ts';
import { PeerError, type TransportHandlers } from '../../ports/transport.ts';
import { NodeClock } from '../node-clock.ts';
import { SimProcess } from '../sim-process.ts';
import { Timeline } from '../timeline.ts';
import { Network } from './network.ts';
import { SimTransport } from './sim-transport.ts';
import { Switchboard } from './switchboard.ts';

const WHO: PeerRequest = { type: 'who' };
const ANSWER: PeerReply = {
  type: 'who',
  clusterId: undefined,
  leader: undefined,
  addresses: [],
  refusal: undefined,
};
const PING: PeerMessage = {
  type: 'gossip',
  packet: { type: 'ping', sequence: 1, from: 1, rumours: [] },
};

function createWorld(seed = 1) {
  const timeline = new Timeline(settle);
  const network = new Network({ timeline, prng: createPrng(seed) });
  const watch = { onSend() {}, onDeliver() {}, onLink() {} };
  const board = new Switchboard({ network, timeline, watch });
  const run = (ms: number): Promise<void> => timeline.runUntil(timeline.nowMs + ms, () => false);
  return { timeline, network, board, run };
}

async function createNode(
  { timeline, board }: ReturnType<typeof createWorld>,
  machine: string,
  judge?: (hello: Hello) => HelloRefusal | undefined,
) {
  const process = new SimProcess(timeline);
  const clock = new NodeClock({ rate: 1, wallOffsetMs: 0 }, { timeline, process });
  const options = { machine, address: `${machine}.1:7401`, connectTimeoutMs: 3000, reconnectMs: 100 };
  const transport = new SimTransport(options, { board, process, clock });
  const heard: string[] = [];
  const hello: Hello = {
    protocolMin: 1,
    protocolMax: 1,
    name: machine,
    directoryId: machine,
    peerAddress: options.address,
    version: '0',
    clusterId: undefined,
    member: undefined,
  };
  const handlers: TransportHandlers = {
    hello: () => hello,
    judge: (peer) => judge?.(peer),
    onMessage: (from, message) => void heard.push(`${from.name}: ${message.type}`),
    onRequest: async (from, request) => {
      heard.push(`${from.name}: ${request.type}`);
      return ANSWER;
    },
    onLink: (peer) => void heard.push(`link to ${peer.name}`),
    onRefused: (address, by, refusal) => void heard.push(`${address} refused by ${by}: ${refusal.code}`),
  };
  await transport.start(handlers);
  return { transport, process, heard };
}

const ask = (from: SimTransport, to: string, timeoutMs = 1000): Promise<PeerReply | PeerError> =>
  from
    .request(to, WHO, { timeoutMs, signal: new AbortController().signal })
    .catch((error: PeerError) => error);

test('SimTransport: a link opens with the first message, serves both ways and is told to both sides', async () => {
  const world = createWorld();
  const [a, b] = [await createNode(world, 'a'), await createNode(world, 'b')];
  a.transport.send('b.1:7401', PING);
  const reply = ask(a.transport, 'b.1:7401');
  await world.run(100);
  assert.deepEqual(await reply, ANSWER);
  b.transport.send('a.1:7401', PING);
  await world.run(100);
  assert.deepEqual(a.heard.filter((line) => line === 'b: gossip').length, 1);
  assert.deepEqual(b.heard.filter((line) => line === 'a: gossip').length, 1);
  assert.ok(a.heard.includes('link to b') && b.heard.includes('link to a'));
});

test('SimTransport: either side may refuse, and both are told', async () => {
  for (const refuser of ['a', 'b']) {
    const world = createWorld();
    const judge = (): HelloRefusal => ({ code: 'WRONG_CLUSTER', message: 'another one' });
    const a = await createNode(world, 'a', refuser === 'a' ? judge : undefined);
    const b = await createNode(world, 'b', refuser === 'b' ? judge : undefined);
    const reply = ask(a.transport, 'b.1:7401');
    await world.run(100);
    const error = await reply;
    assert.ok(error instanceof PeerError && error.code === 'REFUSED' && error.isUnsent);
    assert.deepEqual(a.heard, [`b.1:7401 refused by ${refuser === 'a' ? 'us' : 'them'}: WRONG_CLUSTER`]);
    assert.deepEqual(b.heard, [`a.1:7401 refused by ${refuser === 'b' ? 'us' : 'them'}: WRONG_CLUSTER`]);
  }
});

test('SimTransport: a way that is cut in one direction loses the answer, and the outcome is unknown', async () => {
  const world = createWorld();
  const [a, b] = [await createNode(world, 'a'), await createNode(world, 'b')];
  a.transport.send('b.1:7401', PING);
  await world.run(100);
  world.network.cut('b', 'a');
  const reply = ask(a.transport, 'b.1:7401');
  await world.run(2000);
  const error = await reply;
  assert.ok(error instanceof PeerError && error.code === 'TIMEOUT' && !error.isUnsent);
  assert.ok(b.heard.includes('a: who'));
});

test('SimTransport: a request whose time ends while its link opens is never sent', async () => {
  const world = createWorld();
  const [a, b] = [await createNode(world, 'a'), await createNode(world, 'b')];
  world.network.slowDown('a', 'b', 400);
  const reply = ask(a.transport, 'b.1:7401', 1);
  await world.run(2900);
  const error = await reply;
  assert.ok(error instanceof PeerError && error.code === 'TIMEOUT' && error.isUnsent);
  assert.ok(a.heard.includes('link to b'));
  assert.ok(!b.heard.includes('a: who'));
});

test('SimTransport: nobody listens, the peer dies, or it comes back at the same address', async () => {
  const world = createWorld();
  const a = await createNode(world, 'a');
  const nobody = ask(a.transport, 'b.1:7401');
  await world.run(1000);
  const error = await nobody;
  assert.ok(error instanceof PeerError && error.code === 'UNREACHABLE' && error.isUnsent);
  const b = await createNode(world, 'b');
  const first = ask(a.transport, 'b.1:7401');
  await world.run(100);
  assert.deepEqual(await first, ANSWER);
  world.network.cut('b', 'a');
  b.process.kill();
  b.transport.disconnect();
  await world.run(10);
  world.network.mend('b', 'a');
  await createNode(world, 'b');
  const stale = ask(a.transport, 'b.1:7401');
  await world.run(2000);
  const lost = await stale;
  assert.ok(
    lost instanceof PeerError && lost.code === 'CLOSED' && !lost.isUnsent,
    'a link to the dead is noticed when it is used',
  );
  const second = ask(a.transport, 'b.1:7401');
  await world.run(100);
  assert.deepEqual(await second, ANSWER);
});

test('SimTransport: messages are lost, repeated and overtaken as the weather says', async () => {
  const world = createWorld();
  const [a, b] = [await createNode(world, 'a'), await createNode(world, 'b')];
  Object.assign(world.network.weather, { lossRate: 0.3, duplicateRate: 0.5 });
  for (let i = 0; i < 200; i++) a.transport.send('b.1:7401', PING);
  await world.run(1000);
  const count = b.heard.filter((line) => line === 'a: gossip').length;
  assert.ok(count > 150 && count < 270, `${count} of 200`);
});

test('SimTransport: what reaches a paused process waits; the dead are told nothing', async () => {
  const world = createWorld();
  const [a, b] = [await createNode(world, 'a'), await createNode(world, 'b')];
  a.transport.send('b.1:7401', PING);
  await world.run(100);
  b.process.pause();
  for (let i = 0; i < 3; i++) a.transport.send('b.1:7401', PING);
  await world.run(1000);
  assert.equal(b.heard.length, 2);
  b.process.resume();
  await world.run(0);
  assert.equal(b.heard.length, 5);
  a.transport.send('b.1:7401', PING);
  b.process.kill();
  await world.run(1000);
  assert.equal(b.heard.length, 5);
});

test('SimTransport: what was sent cannot be changed by the receiver', async () => {
  const world = createWorld();
  const a = await createNode(world, 'a');
  const message = structuredClone(PING) as { type: 'gossip'; packet: { sequence: number } };
  a.transport.send('b.1:7401', message as PeerMessage);
  assert.throws(() => {
    message.packet.sequence = 2;
  }, TypeError);
});
