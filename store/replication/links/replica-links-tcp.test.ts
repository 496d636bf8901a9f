import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../io/system-clock.ts';
import { systemRandom } from '../../io/system-random.ts';
import { frameBytes, helloBytes, RawPeer } from '../../io/tcp/raw-peer.ts';
import { TestNode } from '../../io/tcp/test-nodes.ts';
import type { ReplicaOutcome } from '../types.ts';
import { ReplicaLinks } from './replica-links.ts';
import { askFor, EchoReplica, storeOf } from './test-replica.ts';

const opts = { timeout: 60_000 };
const LIMITS = { frameBytesMax: 65_536, replicaInFlightMax: 20_000, replicaInFlightBytesMax: 64 << 20 };

/** Members 1 and 2 on loopback. */
async function startPair() {
  const nodes = [await TestNode.start('one'), await TestNode.start('two')] as const;
  const members = nodes.map((node, place) => {
    const self = place + 1;
    node.helloChange = { member: { number: self, incarnation: 1, lives: [`life-${self}`] } };
    const replica = new EchoReplica(self);
    const { transport } = node;
    const addressOf = (member: number): string => nodes[member - 1]!.address;
    const links = new ReplicaLinks(
      { ...LIMITS, self },
      { clock: systemClock, random: systemRandom, defer: setImmediate, transport, addressOf, replica },
    );
    node.hear = (from, message) => {
      if (message.type === 'replica') links.receive(from, message.batch);
    };
    node.onUnlink = (address) => links.onUnlink(address);
    return { node, links, replica };
  });
  return {
    a: members[0]!,
    b: members[1]!,
    async [Symbol.asyncDispose]() {
      for (const { links, node } of members) {
        links.stop();
        await node.transport.close();
      }
    },
  };
}

test('10,000 requests over TCP come back, each with its own answer, in far fewer frames', opts, async () => {
  await using pair = await startPair();
  const { a, b } = pair;
  const outcomes: Promise<ReplicaOutcome>[] = [];
  for (let i = 0; i < 10_000; i++) {
    outcomes.push(a.links.ask(askFor(2, String(i)), { timeoutMs: 30_000 }));
    if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [i, outcome] of (await Promise.all(outcomes)).entries()) {
    assert.ok(outcome.type === 'reply' && outcome.reply.body.type === 'held', JSON.stringify(outcome));
    assert.equal(outcome.reply.body.version.wallMs, i);
    assert.equal(outcome.reply.from, 2);
  }
  const { framesSent, requestsSent } = a.links.counters;
  assert.equal(requestsSent, 10_000);
  assert.ok(framesSent <= 200 && b.links.counters.framesSent <= 300, `${framesSent} frames`);
});

test('records larger than a part of a frame arrive whole', opts, async () => {
  await using pair = await startPair();
  const { a, b } = pair;
  const got: Uint8Array[] = [];
  b.replica.serveNow = (request) => {
    if (request.body.type === 'store') got.push(request.body.record);
    return {
      from: 2,
      epoch: request.epoch,
      body: { type: 'refused', code: 'STORAGE_FULL', message: 'füll' },
    };
  };
  const record = systemRandom.bytes(300_000);
  const outcome = await a.links.ask(storeOf(2, '1', record), { timeoutMs: 30_000 });
  assert.ok(outcome.type === 'reply' && outcome.reply.body.type === 'refused');
  assert.equal(outcome.reply.body.message, 'füll');
  assert.ok(got.length === 1 && Buffer.from(got[0]!).equals(record));
});

test('what a replica keeps of a batch stays as it came, whatever comes after it', opts, async () => {
  await using pair = await startPair();
  const { a, b } = pair;
  const kept: Uint8Array[] = [];
  b.replica.serveNow = ({ epoch, body }) => {
    if (body.type === 'store') kept.push(body.record);
    return { from: 2, epoch, body: { type: 'refused', code: 'STORAGE_FULL', message: '' } };
  };
  const sent = Array.from({ length: 3000 }, () => systemRandom.bytes(200));
  for (let at = 0; at < sent.length; at += 100) {
    const some = sent.slice(at, at + 100);
    await Promise.all(some.map((record) => a.links.ask(storeOf(2, '1', record), { timeoutMs: 30_000 })));
  }
  assert.equal(kept.length, sent.length);
  for (const [i, record] of sent.entries()) assert.ok(Buffer.from(record).equals(kept[i]!), `record ${i}`);
});

test('a peer that goes away ends what waits for it long before its timeout', opts, async () => {
  await using pair = await startPair();
  const { a, b } = pair;
  b.replica.isPrompt = false;
  b.replica.delay = () => new Promise(() => {});
  const waiting = Array.from({ length: 50 }, (_, i) =>
    a.links.ask(askFor(2, String(i)), { timeoutMs: 50_000 }),
  );
  while (b.replica.signals.length < 50) await new Promise((resolve) => setImmediate(resolve));
  await b.node.transport.close();
  for (const outcome of await Promise.all(waiting))
    assert.deepEqual(outcome, { type: 'unreachable', code: 'UNREACHABLE' });
  const next = await a.links.ask(askFor(2, '1'), { timeoutMs: 50_000 });
  assert.deepEqual(next, { type: 'unreachable', code: 'UNREACHABLE' });
});

test('a batch that is none costs the connection it came over, and the others serve on', opts, async () => {
  await using pair = await startPair();
  const { a, b } = pair;
  await a.links.ask(askFor(2, '1'), { timeoutMs: 30_000 });
  using raw = await RawPeer.connect(b.node.address);
  const hello = { ...b.node.hello(), name: 'raw', member: { number: 3, incarnation: 1, lives: ['x'] } };
  raw.write(helloBytes(hello), frameBytes('replica', new Uint8Array([1, 2, 3])));
  await raw.closed;
  assert.match(b.node.log.join('\n'), /protocol error: a replica batch ends before it should/);
  const outcome = await a.links.ask(askFor(2, '2'), { timeoutMs: 30_000 });
  assert.equal(outcome.type, 'reply');
  assert.deepEqual([a.node.linked.length, a.links.counters.unreachable], [2, 0]);
});
