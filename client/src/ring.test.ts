import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvorumClient } from './index.ts';
import { addressOf, memberAddress } from './node-address.ts';
import { partitionMapOf } from './partition-map.ts';
import { slotOf } from './slot.ts';
import { emptyState } from './test-node.ts';
import { TestServer } from './test-server.ts';
import { parseJson } from './wire.ts';

const PARTITIONS = 4;
/** Partition p has the members p+1, p+2 (of 4, in a circle); the first is the primary. */
const SETS = Array.from({ length: PARTITIONS }, (_, p) => ({
  replicas: [(p % 4) + 1, ((p + 1) % 4) + 1],
  epoch: 1,
}));

type Down = { readonly down?: readonly number[]; readonly epoch?: number };

function tellRing(servers: readonly TestServer[], { down = [], epoch = 1 }: Down = {}): void {
  const members = servers.map(({ address }, i) => ({
    number: i + 1,
    name: `node-${i + 1}`,
    httpAddress: address,
    zone: '',
    isUp: !down.includes(i + 1),
    weight: 100,
  }));
  const ring = { epoch, partitions: PARTITIONS, replicationFactor: 2, members, sets: SETS };
  for (const server of servers) server.ring = ring;
}

type Bench = AsyncDisposable & { readonly servers: TestServer[]; readonly client: KvorumClient };

/** Four nodes, of which the client is given the first. */
async function start(refreshMs = 60_000): Promise<Bench> {
  const state = emptyState();
  const servers = await Promise.all([1, 2, 3, 4].map(() => TestServer.start(state)));
  tellRing(servers);
  const options = { timeoutMs: 3000, retry: { baseMs: 1 }, ring: { refreshMs } };
  const client = new KvorumClient({ url: servers[0]!.url, ...options });
  const dispose = async (): Promise<void> => {
    await client.close();
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  };
  return { servers, client, [Symbol.asyncDispose]: dispose };
}

/** A key of the partition. */
function keyOf(partition: number): string {
  for (let i = 0; ; i++) {
    const key = `key-${i}`;
    if (Math.floor(slotOf(Buffer.from(key)) / (16_384 / PARTITIONS)) === partition) return key;
  }
}

const seenBy = (servers: readonly TestServer[]): number[] => servers.map(({ seen }) => seen.length);

/** Calls until the condition holds: what a client learns beside its calls shows in one of the next. */
async function until(condition: () => boolean, call: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + 5000;
  while (!condition()) {
    assert.ok(performance.now() < end, 'it did not come to that within 5 s');
    await call();
  }
}

test('ring: writes go to the primary, reads to all owners and to no other', async () => {
  await using bench = await start();
  const { client, servers } = bench;
  assert.equal(await client.refreshRing(), 1);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const before = seenBy(servers);
    for (let i = 0; i < 10; i++) await client.put('default', keyOf(partition), 'v');
    const after = seenBy(servers);
    assert.deepEqual(
      after.map((count, i) => count - before[i]!),
      [0, 1, 2, 3].map((i) => (i === partition ? 10 : 0)),
    );
  }
  const before = seenBy(servers);
  for (let i = 0; i < 40; i++) await client.get('default', keyOf(1));
  const [first, second, third, fourth] = seenBy(servers).map((count, i) => count - before[i]!);
  assert.deepEqual([first, fourth], [0, 0]);
  assert.ok(second! > 0 && third! > 0);
});

test('ring: a single call does not ask for it, the next ones do beside themselves, once', async () => {
  await using bench = await start();
  const { client, servers } = bench;
  await client.put('default', keyOf(2), 'v');
  await client.listNamespaces();
  assert.equal(servers[0]!.ringReads, 0);
  await until(
    () => servers[2]!.seen.length > 0,
    () => client.get('default', keyOf(2)),
  );
  assert.equal(
    servers.reduce((sum, { ringReads }) => sum + ringReads, 0),
    1,
  );
});

test('ring: without one (404, 503, nonsense) the given nodes answer', async () => {
  for (const ring of [undefined, { epoch: 'x' }, { epoch: 1, members: [], sets: [{}, {}, {}] }]) {
    await using bench = await start();
    const { client, servers } = bench;
    servers[0]!.ring = ring;
    if (ring === undefined) assert.equal(await client.refreshRing(), undefined);
    else await assert.rejects(client.refreshRing(), { code: 'PROTOCOL' });
    for (let i = 0; i < 5; i++) await client.put('default', keyOf(2), 'v');
    assert.deepEqual(seenBy(servers), [5, 0, 0, 0]);
  }
});

test('ring: partitions that are not placed yet are no obstacle, nor are owners that nobody knows', async () => {
  await using bench = await start();
  const { client, servers } = bench;
  const members = (servers[0]!.ring as { members: object[] }).members;
  servers[0]!.ring = { ...servers[0]!.ring, sets: [] };
  await client.refreshRing();
  await client.put('default', 'k', 'v');
  servers[0]!.ring = { ...servers[1]!.ring, epoch: 2, members: members.slice(0, 1) };
  for (const server of servers.slice(1)) server.ring = servers[0]!.ring;
  assert.equal(await client.refreshRing(), 2);
  for (let partition = 0; partition < PARTITIONS; partition++)
    await client.put('default', keyOf(partition), 'v');
});

test('ring: an address that another cluster answers at, or nobody, or no node, gets no request', async () => {
  await using bench = await start();
  const { client, servers } = bench;
  servers[1]!.clusterId = 'b'.repeat(32);
  await servers[2]!.stop();
  await client.refreshRing();
  for (let partition = 0; partition < PARTITIONS; partition++) {
    for (let i = 0; i < 5; i++) await client.put('default', keyOf(partition), 'v');
  }
  assert.equal(servers[1]!.seen.length, 0);
  assert.ok(servers[3]!.seen.length >= 5);
});

test('ring: an address is trusted anew where its node was lost and somebody else answers there', async () => {
  await using bench = await start();
  const { client, servers } = bench;
  await client.refreshRing();
  await client.put('default', keyOf(1), 'v');
  assert.equal(servers[1]!.seen.length, 1);
  servers[1]!.clusterId = 'b'.repeat(32);
  servers[1]!.faults.push({ type: 'cut-before' });
  await assert.rejects(client.put('default', keyOf(1), 'v'), { outcome: 'unknown' });
  const before = servers[1]!.seen.length;
  await client.refreshRing();
  const endMs = performance.now() + 400; // longer than a node is avoided for its first failure
  while (performance.now() < endMs) await client.put('default', keyOf(1), 'v');
  assert.equal(servers[1]!.seen.length, before);
});

test('ring: false, or a path in the URL, keeps to the given nodes', async () => {
  await using bench = await start();
  const { url } = bench.servers[0]!;
  for (const options of [{ url, ring: false }, { url: `${url}/proxied/` }]) {
    await using client = new KvorumClient(options);
    assert.equal(await client.refreshRing(), undefined);
  }
  await using forced = new KvorumClient({ url, ring: true });
  assert.equal(await forced.refreshRing(), 1);
});

test('ring: an owner that is gone is replaced by the next one', async () => {
  await using bench = await start();
  const { client, servers } = bench;
  await client.refreshRing();
  await servers[1]!.stop();
  while (servers[2]!.seen.length < 3) await client.get('default', keyOf(1));
  const before = servers[2]!.seen.length;
  for (let i = 0; i < 3; i++) await client.put('default', keyOf(1), 'v');
  assert.deepEqual(seenBy(servers), [0, 0, before + 3, 0]);
});

test('ring: a member that the map calls down is asked last', async () => {
  await using bench = await start();
  const { client, servers } = bench;
  tellRing(servers, { down: [2], epoch: 2 });
  await client.refreshRing();
  for (let i = 0; i < 10; i++) await client.put('default', keyOf(1), 'v');
  assert.deepEqual(seenBy(servers), [0, 0, 10, 0]);
  for (const i of [0, 2, 3]) await servers[i]!.stop();
  await client.get('default', keyOf(1));
  assert.equal(servers[1]!.seen.length, 1);
});

test('ring: a node that came back at another address is found there', async () => {
  await using bench = await start();
  const { client, servers } = bench;
  await client.refreshRing();
  await servers[1]!.stop();
  const back = await TestServer.start(servers[0]!.state);
  servers[1] = back;
  tellRing(servers, { epoch: 2 });
  await until(
    () => back.seen.length > 0,
    () => client.get('default', keyOf(1)),
  );
});

test('ring: the given node may go for good once others are known', async () => {
  await using bench = await start();
  const { client, servers } = bench;
  await client.refreshRing();
  await servers[0]!.stop();
  for (let partition = 0; partition < PARTITIONS; partition++) await client.get('default', keyOf(partition));
  assert.equal((await client.listNamespaces()).length, 1);
});

test('ring: a change is noticed by the period alone', async () => {
  await using bench = await start(20);
  const { client, servers } = bench;
  await client.refreshRing();
  const moved = SETS.map(() => ({ replicas: [4], epoch: 2 }));
  for (const server of servers) server.ring = { ...server.ring, epoch: 2, sets: moved };
  await until(
    () => servers[3]!.seen.length > 0,
    () => client.put('default', keyOf(0), 'v'),
  );
});

test('memberAddress: as told, but nothing that means another place from here', () => {
  const far = addressOf('https://db.example:7400');
  const near = addressOf('http://localhost:7400');
  assert.equal(memberAddress('10.0.0.7:7400', far)?.origin, 'https://10.0.0.7:7400');
  assert.equal(memberAddress('[fd00::1]:7400', near)?.host, 'fd00::1');
  assert.equal(memberAddress('127.0.0.1:7410', near)?.port, 7410);
  for (const text of ['127.0.0.1:7410', 'localhost:1', '[::1]:1', '0.0.0.0:7400', '[::]:1', '', 'a b'])
    assert.equal(memberAddress(text, far), undefined, text);
});

test('partitionMapOf: what does not fit together is no ring', () => {
  const json = { epoch: 1, replicationFactor: 1, members: [], sets: [{ replicas: [1] }] };
  assert.equal(partitionMapOf(parseJson(JSON.stringify(json)), 'a').sets.length, 1);
  for (const sets of [undefined, [{}], [{ replicas: ['1'] }], [1, 2, 3].map((n) => ({ replicas: [n] }))])
    assert.throws(() => partitionMapOf(parseJson(JSON.stringify({ ...json, sets })), 'a'), {
      code: 'PROTOCOL',
    });
});
