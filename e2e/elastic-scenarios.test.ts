import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './lib/cluster.ts';
import type { ClusterNode } from './lib/cluster-node.ts';
import { DataMap } from './lib/data-map.ts';
import { addNode, untilPlaced } from './lib/elasticity.ts';
import { OneAddress } from './lib/one-address.ts';
import { requireEqualReplicas } from './lib/replicas-equal.ts';
import { runCli } from './lib/run-cli.ts';
import { TestDirectory } from './lib/test-directory.ts';

/** Scenarios of the forerunners' test suites in which nodes come and go, by their numbers in docs/features.md. */
const DEADLINE_MS = 60_000;
const REQUEST_TIMEOUT_MS = 10_000;
const TRIED_AGAIN_FOR_MS = 3000;
const PAUSE_MS = 50;

type Result = { readonly status: number; readonly value?: string };
type LocalPage = { readonly entries: readonly { readonly key: string; readonly value: string }[] };

async function startData(directory: string, size: number, partitions: number): Promise<Cluster> {
  const settings = {
    'cluster.partitions': partitions,
    'cluster.initialMembers': size,
    'cluster.rebalanceAfterMs': 200,
  };
  const cluster = await Cluster.start({ directory, size, settings });
  await untilServing(cluster);
  return cluster;
}

async function untilServing(cluster: Cluster): Promise<void> {
  for (const { process } of cluster.awake()) assert.ok(await process.waitReady(DEADLINE_MS));
}

async function join(cluster: Cluster, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await addNode(cluster);
  await untilPlaced(cluster, { deadlineMs: DEADLINE_MS });
}

/**
 * On a connection of its own, so that the address in front of the nodes chooses anew. What a node cannot do just now is tried again, as any client
 * does: for up to `peer.reconnectMsMax` a node may have no link to one that has just come back.
 */
async function send(url: string, key: string, init: RequestInit): Promise<Response> {
  const endMs = performance.now() + TRIED_AGAIN_FOR_MS;
  while (true) {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const headers = { connection: 'close' };
    const answer = await fetch(`${url}/v1/kv/default/${key}`, { ...init, headers, signal });
    if (answer.status !== 503 || performance.now() > endMs) return answer;
    await answer.arrayBuffer();
    await sleep(PAUSE_MS);
  }
}

async function put(url: string, key: string, value: string, query = ''): Promise<void> {
  const answer = await send(url, `${key}${query}`, { method: 'PUT', body: value });
  assert.equal(answer.status, 204, await answer.text());
}

async function get(url: string, key: string): Promise<string> {
  const answer = await send(url, key, {});
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return text;
}

/** All at the quorum, in one request. */
async function readAll(node: ClusterNode, keys: readonly string[]): Promise<readonly (string | undefined)[]> {
  const body = { operations: keys.map((key) => ({ op: 'get', key })) };
  const answer = await node.request<{ results: Result[] }>('/v1/kv/default:batch', { method: 'POST', body });
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
  return (answer as { readonly body: { readonly results: Result[] } }).body.results.map(({ value }) => value);
}

/** What the node itself holds, without asking others. */
async function heldBy(node: ClusterNode): Promise<ReadonlyMap<string, string>> {
  const answer = await node.request<LocalPage>('/v1/local/default?limit=1000');
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
  const { entries } = (answer as { readonly body: LocalPage }).body;
  return new Map(entries.map(({ key, value }) => [key, value]));
}

function ownedBy(node: ClusterNode, map: DataMap, keys: readonly string[]): readonly string[] {
  return keys.filter((key) => map.ownersOf(key).includes(node.index));
}

const keysOf = (label: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${label}-${String(i).padStart(3, '0')}`);

test('scenario 9: a node that joins gets what was written before and what is written during its join', async () => {
  using directory = new TestDirectory();
  await using cluster = await startData(directory.path, 3, 16);
  const [before, during] = [keysOf('before', 100), keysOf('during', 100)];
  for (const key of before) await put(cluster.node(1).url, key, `of ${key}`);

  const written = new Map<string, string>();
  let isPlaced = false;
  const joined = join(cluster, 1).finally(() => {
    isPlaced = true;
  });
  for (let i = 0; !isPlaced || i < during.length; i++) {
    const key = during[i % during.length] as string;
    await put(cluster.node(1 + (i % 3)).url, key, `write ${i}`);
    written.set(key, `write ${i}`);
  }
  await joined;

  const joiner = cluster.node(4);
  const map = await DataMap.of(cluster.node(1));
  await requireEqualReplicas(cluster, map);
  const held = await heldBy(joiner);
  for (const keys of [before, during]) {
    const owned = ownedBy(joiner, map, keys);
    assert.ok(owned.length > 0, `${joiner.name} owns none of ${keys[0]}, ...`);
    for (const key of owned) assert.equal(held.get(key), written.get(key) ?? `of ${key}`);
  }
});

test('scenario 11: five nodes behind one address, a sixth receives its share; a follower dies, then the leader: writes and reads go on', async () => {
  using directory = new TestDirectory();
  await using cluster = await startData(directory.path, 5, 16);
  using address = await OneAddress.listen(() => cluster.awake());
  const keys = keysOf('eleven', 60);
  for (const key of keys) await put(address.url, key, `of ${key}`, '?w=all');
  await requireOnOwners(cluster, keys);

  await join(cluster, 1);
  await requireOnOwners(cluster, keys);
  const map = await DataMap.of(cluster.node(1));
  assert.ok(ownedBy(cluster.node(6), map, keys).length > 0);

  const leader = await cluster.leader();
  const follower = cluster.nodes.find((node) => node !== leader) as ClusterNode;
  for (const victim of [follower, leader]) {
    await cluster.kill(victim.index);
    for (const key of keys) {
      assert.equal(await get(address.url, key), `of ${key}`, `${key} without ${victim.name}`);
      await put(address.url, key, `of ${key}`);
    }
    await cluster.restart(victim.index, { withNewPorts: false });
    await cluster.settled();
    await untilServing(cluster);
  }
  await requireEqualReplicas(cluster, map);
});

/** Each node shows exactly the keys that it owns: what it gave away is gone there. */
async function requireOnOwners(cluster: Cluster, keys: readonly string[]): Promise<void> {
  const map = await DataMap.of(cluster.node(1));
  for (const node of cluster.nodes)
    await cluster.until(`${node.name} does not show what it owns`, async () => {
      const held = await heldBy(node);
      return [...held.keys()].toSorted().join() === ownedBy(node, map, keys).join();
    });
}

test('scenario 14: 1,000 entries by ten workers on three nodes; three join, and three more: every key is read everywhere', async () => {
  using directory = new TestDirectory();
  await using cluster = await startData(directory.path, 3, 32);
  const keys = keysOf('fourteen', 1000);
  const writeEvery10th = async (_: unknown, worker: number): Promise<void> => {
    for (let i = worker; i < keys.length; i += 10)
      await put(cluster.node(1 + (worker % 3)).url, keys[i] as string, `value ${i}`);
  };
  await Promise.all(Array.from({ length: 10 }, writeEvery10th));
  const values = keys.map((_, i) => `value ${i}`);
  for (const size of [6, 9]) {
    await join(cluster, 3);
    assert.equal(cluster.awake().length, size);
    for (const node of cluster.nodes) assert.deepEqual(await readAll(node, keys), values, node.name);
  }
});

test('scenario 19: a transcript of the command line: set, get, delete, locate, status, stop', async () => {
  using directory = new TestDirectory();
  await using cluster = await startData(directory.path, 3, 8);
  const lines = ['set name "Ada Lovelace"', 'get name', 'locate name', 'status', 'delete name', 'get name'];
  const session = runCli(cluster.node(1).url, ['shell'], [...lines, 'nodes stop kvorum-2'].join('\n'));
  const version = /[0-9a-f]{12}-[0-9a-f]{4}-\d+/;
  const transcript = [
    version,
    /Ada Lovelace/,
    /name is in slot \d+, partition \d of epoch \d+: 3 of 3 replicas are up/,
    /kvorum-1 ready, rocksdb, storage ok/,
    version,
    /kvorum-2 stops: it finishes what is in flight first/,
  ];
  assert.match(
    session.stdout,
    new RegExp(`^${transcript.map((each) => each.source).join('\\n(?:.*\\n)*?')}\\n$`),
  );
  assert.match(session.stderr, /there is no key 'name' in default/);
  assert.equal(await cluster.node(2).process.exited, 0);
  assert.deepEqual(
    cluster.awake().map(({ name }) => name),
    ['kvorum-1', 'kvorum-3'],
  );
  const commands: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['put', 'name', 'Grace Hopper'], 0, /^$/],
    [['get', 'name'], 0, /^Grace Hopper$/],
    [['locate', 'name'], 0, /2 of 3 replicas are up/],
    [['delete', 'name'], 0, /^$/],
    [['get', 'name'], 1, /^$/],
    [['nodes', 'stop', 'kvorum-3'], 1, /^$/],
  ];
  for (const [args, status, stdout] of commands) {
    const answer = runCli(cluster.node(1).url, args);
    assert.equal(answer.status, status, `${args.join(' ')}: ${answer.stderr}`);
    assert.match(answer.stdout.trim(), stdout, args.join(' '));
  }
  assert.equal(cluster.node(3).isRunning, true);
});
