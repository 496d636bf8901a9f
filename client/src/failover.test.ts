import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientOptions, KvorumClient } from './index.ts';
import { emptyState } from './test-node.ts';
import { type Fault, TestServer } from './test-server.ts';

type Bench = AsyncDisposable & { readonly servers: readonly TestServer[]; readonly client: KvorumClient };

/** A wait that no test outlives: what passes did not wait. */
const NO_WAIT = { baseMs: 60_000, capMs: 60_000 };

/** Nodes with the same data, and a client of all of them that goes to the first one first. */
async function start(count: number, options: Omit<ClientOptions, 'url'> = {}): Promise<Bench> {
  const state = emptyState();
  const servers = await Promise.all(Array.from({ length: count }, () => TestServer.start(state)));
  const url = servers.map((server) => server.url);
  const client = new KvorumClient({ url, timeoutMs: 3000, retry: NO_WAIT, ...options });
  const dispose = async (): Promise<void> => {
    await client.close();
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  };
  return { servers, client, [Symbol.asyncDispose]: dispose };
}

const seenBy = (servers: readonly TestServer[]): number[] => servers.map(({ seen }) => seen.length);

test('failover: any of the given nodes may be gone, for reads, writes, scans and the cluster', async () => {
  for (const gone of [0, 1, 2]) {
    await using bench = await start(3);
    const { client, servers } = bench;
    await servers[gone]!.stop();
    for (let round = 0; round < 5; round++) {
      await client.put('default', 'k', 'v');
      assert.ok((await client.get('default', 'k')) !== undefined);
    }
    assert.equal((await Array.fromAsync(client.scan('default'))).length, 1);
    assert.equal((await client.listNamespaces()).length, 1);
    assert.equal((await client.ready()).ready, true);
  }
});

test('failover: all but one may be gone, with fewer attempts than nodes', async () => {
  await using bench = await start(6, { retry: { ...NO_WAIT, attemptsMax: 2 } });
  for (const server of bench.servers.slice(0, 5)) await server.stop();
  await bench.client.put('default', 'k', 'v');
  assert.deepEqual(seenBy(bench.servers), [0, 0, 0, 0, 0, 1]);
});

test('failover: with one attempt a call goes to one node', async () => {
  await using bench = await start(2, { retry: { attemptsMax: 1 } });
  await bench.servers[0]!.stop();
  await assert.rejects(bench.client.listNamespaces(), { code: 'CONNECTION', executed: 'no' });
});

test('failover: calls without a key stay with the first node, those with one are spread', async () => {
  await using bench = await start(2);
  const { client, servers } = bench;
  for (let i = 0; i < 4; i++) await client.listNamespaces();
  assert.deepEqual(seenBy(servers), [4, 0]);
  for (let i = 0; i < 40; i++) await client.get('default', 'k');
  const [first = 0, second = 0] = seenBy(servers);
  assert.ok(first > 4 && second > 0 && first + second === 44, `${first} and ${second}`);
});

test('failover: a node that is going, waits for its cluster, or was excluded is left without a wait', async () => {
  for (const code of ['SHUTTING_DOWN', 'CLUSTER_WAITING', 'MEMBER_EXCLUDED']) {
    await using bench = await start(2);
    const data = { retryable: code !== 'MEMBER_EXCLUDED' };
    const fault: Fault = { type: 'refuse', status: 503, code, data, retryAfter: '60' };
    bench.servers[0]!.faults.push(fault);
    await bench.client.createNamespace('logs');
    assert.deepEqual(seenBy(bench.servers), [1, 1]);
    await bench.client.listNamespaces();
    assert.deepEqual(seenBy(bench.servers), [1, 2], 'it is avoided for a while');
  }
});

test('failover: a busy node is not left for another one at once, which is likely to be busy too', async () => {
  await using bench = await start(2);
  bench.servers[0]!.faults.push({ type: 'refuse', status: 503, code: 'OVERLOADED', retryAfter: '60' });
  await assert.rejects(bench.client.listNamespaces(), { code: 'OVERLOADED' });
  assert.deepEqual(seenBy(bench.servers), [1, 0]);
});

test('failover: a read leaves a node that hangs; a write that was sent to it has an unknown outcome', async () => {
  await using bench = await start(2, { timeoutMs: 600, ring: false });
  const { client, servers } = bench;
  servers[0]!.faults.push({ type: 'hang' });
  assert.equal((await client.listNamespaces()).length, 1);
  assert.deepEqual(seenBy(servers), [1, 1]);
  servers[1]!.faults.push({ type: 'hang' });
  const late = { name: 'KvorumTimeoutError', outcome: 'unknown', retryable: false };
  await assert.rejects(client.createNamespace('logs'), late);
  assert.deepEqual(seenBy(servers), [1, 2]);
});

test('C1: a write is not given to a second node where the first one broke off', async () => {
  for (const type of ['cut-before', 'cut-after'] as const) {
    await using bench = await start(2);
    for (const server of bench.servers) server.faults.push({ type });
    await assert.rejects(bench.client.put('default', 'k', 'v'), { outcome: 'unknown' });
    const [first = 0, second = 0] = seenBy(bench.servers);
    assert.equal(first + second, 1);
  }
});

test('idempotent: the same node is asked first', async () => {
  await using bench = await start(2, { retry: { baseMs: 1 } });
  for (const server of bench.servers) server.faults.push({ type: 'cut-after' });
  await bench.client.put('default', 'k', 'v', { idempotent: true });
  assert.deepEqual(seenBy(bench.servers).toSorted(), [0, 2]);
});

test('idempotent: another node is asked where the first one fails twice, with the same key', async () => {
  await using bench = await start(2, { retry: { baseMs: 1 } });
  const { client, servers } = bench;
  for (const server of servers) server.faults.push({ type: 'cut-after' }, { type: 'cut-after' });
  await client.put('default', 'k', 'v', { idempotent: true });
  assert.deepEqual(seenBy(servers).toSorted(), [2, 3]);
  const keys = servers.flatMap(({ headers }) => headers.map((each) => each['idempotency-key']));
  assert.ok(keys[0] !== undefined && new Set(keys).size === 1);
});

test('idempotent: where an attempt may have been executed, a later refusal does not hide it', async () => {
  await using bench = await start(1, { retry: { baseMs: 1, attemptsMax: 2 } });
  bench.servers[0]!.faults.push(
    { type: 'cut-after' },
    { type: 'refuse', status: 503, code: 'OVERLOADED', retryAfter: '0' },
  );
  await assert.rejects(bench.client.put('default', 'k', 'v', { idempotent: true }), { outcome: 'unknown' });
});

test('failover: a scan goes on at another node behind the page that was read', async () => {
  await using bench = await start(2);
  const { client, servers } = bench;
  const name = (index: number): string => `k${String(index).padStart(4, '0')}`;
  const operations = Array.from(
    { length: 1000 },
    (_, i) => ({ op: 'put', value: '', key: name(i) }) as const,
  );
  await client.batch('default', operations);
  await client.put('default', name(1000), '');
  const keys: string[] = [];
  for await (const { key } of client.scan('default')) {
    keys.push(Buffer.from(key).toString());
    if (keys.length === 5)
      await servers[servers[0]!.seen.some((line) => line.includes('limit')) ? 0 : 1]!.stop();
  }
  assert.deepEqual(
    keys,
    Array.from({ length: 1001 }, (_, i) => name(i)),
  );
});

test('failover in the middle: every put is acknowledged or unknown, and none is executed twice', async () => {
  await using bench = await start(3, { retry: { baseMs: 1 } });
  const { client, servers } = bench;
  const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
  const acknowledged = new Set<string>();
  let done = 0;
  const put = async (key: string): Promise<void> => {
    const error = await client.put('default', key, key).catch((thrown: { outcome?: string }) => thrown);
    if ('version' in error) acknowledged.add(key);
    else assert.equal(error.outcome, 'unknown');
    done += 1;
    if (done === 100) await servers[1]!.stop();
  };
  const worker = async (from: number): Promise<void> => {
    for (let i = from; i < keys.length; i += 10) await put(keys[i]!);
  };
  await Promise.all(Array.from({ length: 10 }, (_, from) => worker(from)));
  const { history } = servers[0]!.state;
  for (const key of keys) {
    const versions = history.get(`default/${Buffer.from(key).toString('hex')}`)?.length ?? 0;
    assert.ok(versions <= 1 && (versions === 1 || !acknowledged.has(key)), `${key}: ${versions}`);
  }
  assert.ok(
    acknowledged.size >= keys.length - 10,
    `${acknowledged.size}: at most those in flight are unknown`,
  );
});

test('KvorumClient: a URL that is none, or no URL at all, is refused when the client is made', () => {
  assert.throws(() => new KvorumClient({ url: [] }), /needs the URL/);
  assert.throws(() => new KvorumClient({ url: 'ftp://a' }), /not an http or https URL/);
  assert.throws(() => new KvorumClient({ url: ['http://a', 'nowhere'] }), TypeError);
});
