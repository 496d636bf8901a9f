import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BatchingOptions, type ClientOptions, KvorumClient } from './index.ts';
import { slotOf } from './slot.ts';
import { type Fault, TestServer } from './test-server.ts';

type Bench = AsyncDisposable & { readonly server: TestServer; readonly client: KvorumClient };

async function start(
  batching: BatchingOptions = { maxDelayMs: 0 },
  options: Partial<ClientOptions> = {},
): Promise<Bench> {
  const server = await TestServer.start();
  const client = new KvorumClient({ url: server.url, batching, retry: { baseMs: 1 }, ...options });
  const dispose = async (): Promise<void> => {
    await client.close();
    await server[Symbol.asyncDispose]();
  };
  return { server, client, [Symbol.asyncDispose]: dispose };
}

const BATCH = 'POST /v1/kv/default:batch';
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const textOf = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();
const put = (client: KvorumClient, key: string): Promise<unknown> => client.put('default', key, `${key}!`);

test('batching: concurrent puts, deletes and gets are one request for writes and one for reads', async () => {
  await using bench = await start();
  const { client, server } = bench;
  await Promise.all(numbers(10).map((i) => put(client, `k${i}`)));
  assert.deepEqual(server.seen.splice(0), [BATCH]);
  const [stored, missing, written, deleted] = await Promise.all([
    client.get('default', 'k3'),
    client.get('default', 'none'),
    client.put('default', 'typed', '', { contentType: 'text/plain' }),
    client.delete('default', 'k4'),
  ]);
  assert.deepEqual([textOf(stored?.value), missing], ['k3!', undefined]);
  assert.ok(deleted.version > written.version);
  assert.deepEqual(server.seen.splice(0), [BATCH, BATCH]);
  const typed = await client.get('default', 'typed');
  assert.deepEqual(
    [typed?.contentType, typed?.version, typed?.value.length],
    ['text/plain', written.version, 0],
  );
});

test('batching: maxOperations is the most that goes together, and goes at once', async () => {
  await using bench = await start({ maxOperations: 4, maxDelayMs: 1000 });
  const startedMs = performance.now();
  await Promise.all(numbers(8).map((i) => put(bench.client, `k${i}`)));
  assert.equal(bench.server.seen.length, 2);
  assert.ok(performance.now() - startedMs < 900);
});

test('batching: maxDelayMs is how long the first one waits for others', async () => {
  await using bench = await start({ maxDelayMs: 30 });
  const first = put(bench.client, 'a');
  await new Promise((resolve) => setTimeout(resolve, 5));
  await Promise.all([first, put(bench.client, 'b')]);
  assert.equal(bench.server.seen.length, 1);
});

test('batching: namespaces and levels are kept apart', async () => {
  await using bench = await start();
  const { client, server } = bench;
  await client.createNamespace('logs');
  server.seen.length = 0;
  await Promise.all([
    client.put('default', 'a', '', { w: 'all' }),
    client.put('default', 'b', '', { w: 'all' }),
    client.put('default', 'c', ''),
    client.put('logs', 'd', ''),
  ]);
  assert.deepEqual(server.seen.toSorted(), [BATCH, `${BATCH}?w=all`, 'POST /v1/kv/logs:batch']);
});

test('batching: each caller has its own outcome', async () => {
  await using bench = await start();
  const { client } = bench;
  const [good, refused] = await Promise.allSettled([put(client, 'good'), put(client, 'refused')]);
  assert.equal(good.status, 'fulfilled');
  const reason = refused.status === 'rejected' ? refused.reason : undefined;
  assert.deepEqual(
    [reason?.name, reason?.code, reason?.status],
    ['KvorumResponseError', 'STORAGE_FULL', 507],
  );
});

test('batching: only what was refused is repeated', async () => {
  await using bench = await start();
  const { client, server } = bench;
  server.state.busy.add('k1');
  await Promise.all(numbers(3).map((i) => put(client, `k${i}`)));
  const writes = [...server.state.history.values()].map(({ length }) => length);
  assert.deepEqual([server.seen.length, writes], [2, [1, 1, 1]]);
});

test('batching: an operation that spoils the request spoils its own outcome alone', async () => {
  await using bench = await start();
  const spoiled: Fault = { type: 'refuse', status: 400, code: 'BAD_FIELD', data: { retryable: false } };
  bench.server.faults.push(spoiled, spoiled);
  const settled = await Promise.allSettled(numbers(3).map((i) => put(bench.client, `k${i}`)));
  assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 2);
  assert.equal(bench.server.seen.length, 4);
});

test('C1: writes of a batch whose connection broke are unknown, each of them, and not repeated', async () => {
  for (const type of ['cut-before', 'cut-after'] as const) {
    await using bench = await start();
    bench.server.faults.push({ type });
    const settled = await Promise.allSettled(numbers(3).map((i) => put(bench.client, `k${i}`)));
    for (const each of settled) assert.equal(each.status === 'rejected' && each.reason.outcome, 'unknown');
    assert.equal(bench.server.seen.length, 1);
  }
});

test('batching: reads of a batch that broke are repeated', async () => {
  await using bench = await start();
  await put(bench.client, 'a');
  bench.server.faults.push({ type: 'cut-before' });
  const found = await Promise.all([bench.client.get('default', 'a'), bench.client.get('default', 'b')]);
  assert.deepEqual(
    found.map((each) => textOf(each?.value)),
    ['a!', undefined],
  );
});

test('batching: who aborts before the request goes is not in it; who aborts behind leaves the others alone', async () => {
  await using bench = await start({ maxDelayMs: 20 });
  const { client, server } = bench;
  const reason = new Error('enough');
  const early = new AbortController();
  const aborted = client.put('default', 'early', '', { signal: early.signal });
  const kept = put(client, 'kept');
  early.abort(reason);
  await assert.rejects(aborted, reason);
  await kept;
  assert.equal(server.state.keys.size, 1);
  server.faults.push({ type: 'delay', ms: 100 });
  const late = new AbortController();
  const left = client.put('default', 'left', '', { signal: late.signal });
  const patient = put(client, 'patient');
  setTimeout(() => late.abort(reason), 50);
  await assert.rejects(left, reason);
  await patient;
});

test("batching: a deadline is its caller's own; what never went is unwritten", async () => {
  await using bench = await start({ maxDelayMs: 200 });
  const { client, server } = bench;
  const unsent = client.put('default', 'a', '', { timeoutMs: 20 });
  await assert.rejects(unsent, { name: 'KvorumTimeoutError', outcome: 'unwritten', retryable: true });
  await using hasty = new KvorumClient({ url: server.url, batching: { maxDelayMs: 0 }, timeoutMs: 50 });
  server.faults.push({ type: 'hang' });
  await assert.rejects(put(hasty, 'b'), { name: 'KvorumTimeoutError', outcome: 'unknown' });
});

test('batching: idempotent writes and large values go alone', async () => {
  await using bench = await start();
  const { client, server } = bench;
  await Promise.all([
    client.put('default', 'a', '', { idempotent: true }),
    client.put('default', 'b', Buffer.alloc((1 << 16) + 1)),
    client.delete('default', 'c', { idempotent: true }),
    put(client, 'd'),
  ]);
  const expected = ['DELETE /v1/kv/default/c', BATCH, 'PUT /v1/kv/default/a', 'PUT /v1/kv/default/b'];
  assert.deepEqual(server.seen.toSorted(), expected);
});

test('batching: a get that found no room in the answer is asked by itself', async () => {
  await using bench = await start();
  const { client, server } = bench;
  await put(client, 'a');
  server.state.tooLarge.add('a');
  assert.equal(textOf((await client.get('default', 'a'))?.value), 'a!');
  assert.deepEqual(server.seen, [BATCH, BATCH, 'GET /v1/kv/default/a']);
});

test('batching: one request per node, where the map says who owns what', async () => {
  await using one = await TestServer.start();
  await using two = await TestServer.start(one.state);
  const members = [one, two].map(({ address }, i) => ({ number: i, name: `n${i}`, httpAddress: address }));
  const ring = { epoch: 1, replicationFactor: 1, members, sets: [{ replicas: [0] }, { replicas: [1] }] };
  one.ring = ring;
  await using client = new KvorumClient({ url: one.url, batching: { maxDelayMs: 0 } });
  await client.refreshRing();
  const keys = numbers(20).map((i) => `k${i}`);
  await Promise.all(keys.map((key) => put(client, key)));
  assert.ok(new Set(keys.map((key) => slotOf(Buffer.from(key)) < 8192)).size === 2);
  assert.deepEqual([one.seen, two.seen], [[BATCH], [BATCH]]);
});

test('batching: limits that make no sense are refused', () => {
  const url = 'http://127.0.0.1:1';
  for (const batching of [
    { maxOperations: 0 },
    { maxOperations: 1001 },
    { maxDelayMs: -1 },
    { maxDelayMs: 1e9 },
  ])
    assert.throws(() => new KvorumClient({ url, batching }), RangeError);
});
