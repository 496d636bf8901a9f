import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvorumClient, KvorumConnectionError, KvorumResponseError, KvorumTimeoutError } from './index.ts';
import { type Fault, TestServer } from './test-server.ts';

type Bench = AsyncDisposable & { server: TestServer; client: KvorumClient };

async function start(...faults: Fault[]): Promise<Bench> {
  const server = await TestServer.start();
  server.faults.push(...faults);
  const client = new KvorumClient({ url: server.url, timeoutMs: 2000, retry: { baseMs: 1 } });
  const dispose = async () => {
    await client.close();
    await server[Symbol.asyncDispose]();
  };
  return { server, client, [Symbol.asyncDispose]: dispose };
}

const busy: Fault = { type: 'refuse', status: 503, code: 'OVERLOADED', retryAfter: '0' };

test('KvorumClient: a value comes back with what was kept beside it', async () => {
  await using bench = await start();
  const put = await bench.client.put('default', 'k', 'v', { ttlSeconds: 60, contentType: 'text/plain' });
  const got = await bench.client.get('default', 'k');
  assert.deepEqual(
    { ...got, value: String(Buffer.from(got!.value)) },
    { ...put, contentType: 'text/plain', value: 'v' },
  );
  const head = await bench.client.head('default', 'k');
  assert.deepEqual(head, { ...put, contentType: 'text/plain', bytes: 1 });
  assert.ok((await bench.client.delete('default', 'k')).version > put.version);
  assert.equal(await bench.client.get('default', 'k'), undefined);
  assert.equal(await bench.client.head('default', 'k'), undefined);
});

test('KvorumClient: a key of any bytes is kept apart, also dots, slashes and an empty value', async () => {
  await using bench = await start();
  const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const keys = [
    '.',
    '..',
    'a/../b',
    '/',
    '//',
    '%2e',
    'a?b#c',
    'ключ',
    ':batch',
    everyByte,
    Uint8Array.of(0xff),
  ];
  for (const [index, key] of keys.entries()) await bench.client.put('default', key, Uint8Array.of(index));
  for (const [index, key] of keys.entries()) {
    assert.deepEqual((await bench.client.get('default', key))?.value, Uint8Array.of(index));
  }
  await bench.client.put('default', 'empty', '');
  assert.equal((await bench.client.get('default', 'empty'))?.value.length, 0);
  await assert.rejects(bench.client.get('default', ''), RangeError);
  await assert.rejects(bench.client.get('default', '\ud800'), TypeError);
});

test('KvorumClient.get: a missing namespace is an error, with the code of the server', async () => {
  await using bench = await start();
  await assert.rejects(bench.client.get('none', 'k'), {
    name: 'KvorumResponseError',
    code: 'NAMESPACE_NOT_FOUND',
  });
});

test("retry: a read is repeated after a refusal, a proxy's 503, and a cut connection", async () => {
  await using bench = await start();
  await bench.client.put('default', 'k', 'v');
  bench.server.faults.push(
    busy,
    { type: 'refuse', status: 503 },
    { type: 'cut-before' },
    { type: 'cut-stream' },
  );
  assert.equal(String(Buffer.from((await bench.client.get('default', 'k'))!.value)), 'v');
  assert.equal(bench.server.seen.length, 6);
});

test('retry: attemptsMax bounds it, and the last error is thrown', async () => {
  await using bench = await start(busy, busy, busy, busy, busy, busy);
  await assert.rejects(bench.client.get('default', 'k'), { code: 'OVERLOADED', action: 'Try again.' });
  assert.equal(bench.server.seen.length, 5);
});

test('retry: Retry-After is honoured, and not waited for beyond the deadline', async () => {
  await using bench = await start(
    { ...busy, retryAfter: '1' } as Fault,
    { ...busy, retryAfter: '60' } as Fault,
  );
  const startedMs = performance.now();
  await assert.rejects(bench.client.get('default', 'k'), KvorumResponseError);
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs >= 990 && tookMs < 1900, `${tookMs} ms`);
});

test('C1: a write whose connection broke is not repeated, whether it was executed or not', async () => {
  for (const [type, writes] of [
    ['cut-before', 0],
    ['cut-after', 1],
  ] as const) {
    await using bench = await start({ type });
    const unknown = { name: 'KvorumConnectionError', executed: 'unknown', retryable: false };
    await assert.rejects(bench.client.put('default', 'k', 'old'), unknown);
    assert.deepEqual([bench.server.seen.length, bench.server.state.writes], [1, writes]);
  }
});

test('C1: a delete, a batch with a write and a 503 that tells nothing are not repeated either', async () => {
  const silent: Fault = { type: 'refuse', status: 503 };
  await using bench = await start({ type: 'cut-after' }, { type: 'cut-after' }, silent);
  await assert.rejects(bench.client.delete('default', 'k'), KvorumConnectionError);
  await assert.rejects(bench.client.batch('default', [{ op: 'delete', key: 'k' }]), KvorumConnectionError);
  await assert.rejects(bench.client.put('default', 'k', 'v'), { code: 'HTTP_503', retryable: false });
  assert.equal(bench.server.seen.length, 3);
});

test('C1: a write is repeated where the server says that it did not look at it', async () => {
  await using bench = await start(busy, { type: 'refuse', status: 503, code: 'SHUTTING_DOWN' });
  await bench.client.put('default', 'k', 'v');
  assert.deepEqual([bench.server.seen.length, bench.server.state.writes], [3, 1]);
});

test('KvorumConnectionError: a refused connection was not executed', async () => {
  const server = await TestServer.start();
  const { url } = server;
  await server[Symbol.asyncDispose]();
  await using client = new KvorumClient({ url, retry: { attemptsMax: 2, baseMs: 1 } });
  await assert.rejects(client.put('default', 'k', 'v'), {
    code: 'CONNECTION',
    executed: 'no',
    retryable: true,
  });
});

test('KvorumTimeoutError: it says that the outcome of a write is unknown', async () => {
  await using bench = await start({ type: 'delay', ms: 300 });
  const late = bench.client.put('default', 'k', 'v', { timeoutMs: 50 });
  await assert.rejects(
    late,
    (error: Error) => error instanceof KvorumTimeoutError && /unknown/.test(error.message),
  );
});

test('signal: an abort throws its reason, before, during and while waiting', async () => {
  await using bench = await start({ type: 'delay', ms: 300 }, { ...busy, retryAfter: '1' } as Fault);
  const reason = new Error('enough');
  for (let round = 0; round < 2; round++) {
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 50);
    await assert.rejects(bench.client.get('default', 'k', { signal: controller.signal }), reason);
    await assert.rejects(bench.client.get('default', 'k', { signal: controller.signal }), reason);
  }
});
