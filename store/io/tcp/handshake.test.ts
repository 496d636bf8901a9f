import assert from 'node:assert/strict';
import test from 'node:test';
import { Packr } from 'msgpackr/pack';
import { decodeHelloRefusal } from '../../peer/codec.ts';
import { judgeHello } from '../../peer/judge-hello.ts';
import type { HelloRefusal } from '../../peer/messages.ts';
import type { PeerError } from '../../ports/transport.ts';
import { frameBytes, helloBytes, RawPeer, rawListener } from './raw-peer.ts';
import { ping, TestNode } from './test-nodes.ts';

const opts = { timeout: 30_000 };
const REFUSAL: HelloRefusal = { code: 'STALE_MEMBER', message: 'too old: empty the directory' };
const failure = (promise: Promise<unknown>): Promise<PeerError> =>
  promise.then(() => assert.fail('not refused')).catch((error) => error);

test(
  'a refusal by the node that is dialled is seen on both sides, and the request fails unsent',
  opts,
  async () => {
    await using a = await TestNode.start('a');
    await using b = await TestNode.start('b');
    b.judge = () => REFUSAL;
    const error = await failure(a.request(b.address, { type: 'who' }));
    assert.deepEqual([error.code, error.isUnsent], ['REFUSED', true]);
    assert.match(error.message, /the other side refused the link: STALE_MEMBER: too old/);
    await b.until(() => b.refused.length > 0);
    assert.deepEqual(a.refused[0], { address: b.address, by: 'them', refusal: REFUSAL, peer: undefined });
    assert.deepEqual(
      { ...b.refused[0], peer: b.refused[0]?.peer?.name },
      { address: a.address, by: 'us', refusal: REFUSAL, peer: 'a' },
    );
    assert.deepEqual([a.linked.length, b.linked.length], [0, 0]);
  },
);

test('a refusal by the node that dials is seen on both sides', opts, async () => {
  await using a = await TestNode.start('a');
  await using b = await TestNode.start('b');
  a.judge = () => REFUSAL;
  const error = await failure(a.request(b.address, { type: 'who' }));
  assert.match(error.message, /this node refused the link: STALE_MEMBER/);
  await b.until(() => b.refused.length > 0);
  assert.deepEqual(
    { ...a.refused[0], peer: a.refused[0]?.peer?.name },
    { address: b.address, by: 'us', refusal: REFUSAL, peer: 'b' },
  );
  assert.deepEqual(
    { ...b.refused[0], peer: b.refused[0]?.peer?.name },
    { address: a.address, by: 'them', refusal: REFUSAL, peer: 'a' },
  );
  assert.deepEqual([a.linked.length, b.linked.length], [0, 0]);
});

test(
  'two clusters: both sides are told both ids; a refused node is let in once it is of the cluster',
  opts,
  async () => {
    await using a = await TestNode.start('a');
    await using b = await TestNode.start('b');
    b.judge = (hello) => judgeHello(b.hello(), hello, { type: 'unknown' });
    b.serve = async () => ({ type: 'busy', message: 'in' });
    a.clusterId = 'f'.repeat(32);
    const error = await failure(a.request(b.address, { type: 'who' }));
    assert.match(error.message, /WRONG_CLUSTER: b is of cluster 0{32}, a is of cluster f{32}/);
    a.clusterId = b.clusterId;
    a.transport.reset();
    assert.deepEqual(await a.request(b.address, { type: 'who' }), { type: 'busy', message: 'in' });
  },
);

test(
  'a hello of a version without overlap is refused by its versions, though nothing else of it is known',
  opts,
  async () => {
    await using b = await TestNode.start('b');
    using raw = await RawPeer.connect(b.address);
    const payload = new Packr({ useRecords: false }).pack({ protocolMin: 8, protocolMax: 9, who: ['new'] });
    raw.write(frameBytes('hello', payload));
    const refusal = decodeHelloRefusal((await raw.got('hello-refused')).payload);
    assert.equal(refusal.code, 'WRONG_PROTOCOL');
    assert.match(refusal.message, /1 to 1.*8 to 9/);
    await raw.closed;
    assert.deepEqual([b.refused[0]?.by, b.refused[0]?.refusal.code], ['us', 'WRONG_PROTOCOL']);
  },
);

test('a hello that cannot be read is refused and says why', opts, async () => {
  await using b = await TestNode.start('b');
  using raw = await RawPeer.connect(b.address);
  raw.write(frameBytes('hello', new Packr({ useRecords: false }).pack({ ...b.hello(), name: 7 })));
  const refusal = decodeHelloRefusal((await raw.got('hello-refused')).payload);
  assert.equal(refusal.code, 'BAD_HELLO');
  assert.match(refusal.message, /name: /);
  await raw.closed;
});

test('a node that says nothing, or drips its hello, is given up', opts, async () => {
  await using b = await TestNode.start('b', { connectTimeoutMs: 100 });
  using silent = await RawPeer.connect(b.address);
  using slow = await RawPeer.connect(b.address);
  const bytes = helloBytes(b.hello());
  let at = 0;
  const drip = setInterval(() => slow.write(bytes.subarray(at, ++at)), 20);
  await Promise.all([silent.closed, slow.closed]);
  clearInterval(drip);
  assert.ok(at < bytes.length);
  assert.equal(b.linked.length, 0);
});

test('a dialled node that accepts and says nothing is given up in time', opts, async () => {
  await using a = await TestNode.start('a', { connectTimeoutMs: 100 });
  await using silent = await rawListener(() => {});
  const error = await failure(a.request(silent.address, { type: 'who' }));
  assert.deepEqual([error.code, error.isUnsent], ['UNREACHABLE', true]);
  assert.match(error.message, /no handshake within 100 ms \(peer\.connectTimeoutMs\)/);
});

test(
  'more connections than the limit are refused with a reason, and there is room again later',
  opts,
  async () => {
    await using a = await TestNode.start('a');
    await using b = await TestNode.start('b', { linksMax: 2 });
    b.serve = async () => ({ type: 'busy', message: 'in' });
    const first = await RawPeer.connect(b.address);
    using second = await RawPeer.connect(b.address);
    for (const raw of [first, second]) raw.write(helloBytes({ ...a.hello(), name: 'raw' }));
    await Promise.all([first.got('hello'), second.got('hello')]);
    const error = await failure(a.request(b.address, { type: 'who' }));
    assert.match(error.message, /OVERLOADED: this node has 2 peer connections.*peer\.linksMax/);
    assert.equal(b.refused[0]?.refusal.code, 'OVERLOADED');
    first.socket.destroy();
    let reply: unknown;
    while (reply === undefined) reply = await a.request(b.address, { type: 'who' }).catch(() => undefined);
    assert.deepEqual(reply, { type: 'busy', message: 'in' });
  },
);

test('a peer that goes silent without closing is found by the heartbeat', opts, async () => {
  await using a = await TestNode.start('a', { heartbeatMs: 20, idleTimeoutMs: 150 });
  const silent: RawPeer[] = [];
  await using half = await rawListener((raw) => {
    silent.push(raw);
    raw.write(helloBytes({ ...a.hello(), name: 'half', peerAddress: '' }));
  });
  const request = failure(a.request(half.address, { type: 'who' }));
  await a.until(() => a.log.some((line) => line.startsWith('closed: nothing came for 150 ms')));
  const error = await request;
  assert.deepEqual([error.code, error.isUnsent], ['UNREACHABLE', false]);
  // And the other way: whoever dialled us and goes silent is given up as well.
  using raw = await RawPeer.connect(a.address);
  raw.write(helloBytes({ ...a.hello(), name: 'raw' }), frameBytes('heartbeat', new Uint8Array(0)));
  await raw.closed;
  assert.equal(a.linked.at(-1)?.name, 'raw');
});

test('a pause of this node ends no link: what came meanwhile was not read yet', opts, async () => {
  await using a = await TestNode.start('a', { heartbeatMs: 10, idleTimeoutMs: 1000 });
  await using b = await TestNode.start('b', { heartbeatMs: 10, idleTimeoutMs: 1000 });
  a.transport.send(b.address, ping(1));
  await b.until(() => b.messages.length === 1);
  for (const node of [a, b]) node.pausedMs = 60_000;
  const { sent } = a.traffic;
  // Ten heartbeats later both have looked at their clocks.
  while (a.traffic.sent < sent + 100) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([a.linked.length, b.linked.length, a.log, b.log], [1, 1, [], []]);
});

test('a heartbeat keeps a link alive and is answered with its number', opts, async () => {
  await using b = await TestNode.start('b');
  using raw = await RawPeer.connect(b.address);
  raw.write(
    helloBytes({ ...b.hello(), name: 'raw' }),
    frameBytes('heartbeat', new Uint8Array(0), { correlation: 77 }),
  );
  assert.equal((await raw.got('heartbeat-reply')).correlation, 77);
});

test('a goodbye before the handshake ends the connection quietly', opts, async () => {
  await using b = await TestNode.start('b');
  using raw = await RawPeer.connect(b.address);
  raw.write(frameBytes('goodbye', new Uint8Array(0)));
  await raw.closed;
  assert.deepEqual(b.log, []);
  b.transport.send(b.address, ping(1)); // to itself, which nobody forbids here
  await b.until(() => b.messages.length === 1);
});
