import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from './lib/cluster.ts';
import type { ClusterNode } from './lib/cluster-node.ts';
import { runCli } from './lib/run-cli.ts';
import { TestDirectory } from './lib/test-directory.ts';

/**
 * Operations and stops as they are asked of real nodes: what could never end, or would cost a quorum, is refused and changes nothing; what is
 * done removes its member. The tests follow each other.
 */
const MOVES_DEADLINE_MS = 60_000;
const SETTINGS = { 'cluster.partitions': 16, 'cluster.rebalanceAfterMs': 200, 'storage.reserveBytes': 0 };
const directory = new TestDirectory();
let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start({ directory: directory.path, size: 3, settings: SETTINGS });
  await cluster.until('no data is placed', async () => (await loads()).size === 3);
});
after(async () => {
  await cluster[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

type Verdict = { readonly canStop: boolean; readonly reasons: readonly string[] };
type Operation = { readonly id: string; readonly state: string; readonly by: string };

async function read<T>(path: string, node: ClusterNode = cluster.node(1)): Promise<T> {
  const answer = await node.request<T>(path);
  assert.equal(answer.type, 'ok', JSON.stringify(answer));
  return (answer as { readonly body: T }).body;
}

const topology = () => read('/v1/topology');
const canStop = (name: string, through: number) =>
  read<Verdict>(`/v1/nodes/${name}/can-stop`, cluster.node(through));

/** Member numbers with their partitions. */
async function loads(): Promise<ReadonlyMap<number, number>> {
  const { partitions } = await read<{ partitions: { replicas: number[] }[] }>('/v1/topology');
  const counts = new Map<number, number>();
  for (const member of partitions.flatMap(({ replicas }) => replicas))
    counts.set(member, (counts.get(member) ?? 0) + 1);
  return counts;
}

const REFUSED: readonly (readonly [string, string, object | undefined])[] = [
  ['TOO_FEW_MEMBERS', '/v1/operations', { type: 'drain', member: 'kvorum-3' }],
  ['TOO_FEW_MEMBERS', '/v1/members/kvorum-1:drain', undefined],
  ['TOO_FEW_MEMBERS', '/v1/operations', { type: 'replace', member: 'kvorum-2', force: true }],
  ['TOO_FEW_MEMBERS', '/v1/operations', { type: 'factor', replicationFactor: 4 }],
  ['MEMBER_ALIVE', '/v1/operations', { type: 'replace', member: 'kvorum-2' }],
  ['MEMBER_NOT_FOUND', '/v1/operations', { type: 'drain', member: 'kvorum-9' }],
  ['MEMBER_NOT_FOUND', '/v1/operations', { type: 'replace', member: 'kvorum-9' }],
  ['BAD_FIELD', '/v1/operations', { type: 'factor', replicationFactor: 0 }],
  ['BAD_FIELD', '/v1/operations', { type: 'shrink' }],
  ['UNKNOWN_FIELD', '/v1/operations', { type: 'rebalance', member: 'kvorum-2' }],
  ['OPERATION_NOT_FOUND', '/v1/operations/drain-1:cancel', undefined],
  ['OPERATION_NOT_FOUND', '/v1/operations/rebalance:cancel', undefined],
];

test('what could never end, and what is not there, is refused by every node, and nothing is changed', async () => {
  const before = await topology();
  for (const node of cluster.nodes)
    for (const [code, path, body] of REFUSED) {
      const answer = await node.request(path, { method: 'POST', body });
      assert.equal(answer.type, 'refused', `${path} ${JSON.stringify(body)}: ${JSON.stringify(answer)}`);
      assert.equal((answer as { readonly code: string }).code, code, `${path} ${JSON.stringify(body)}`);
    }
  assert.deepEqual(await topology(), before);
  assert.deepEqual((await read<{ operations: Operation[] }>('/v1/operations')).operations, []);
});

test('a fourth node is drained: waited for, done, removed; asked again, and cancelled, it is refused', async () => {
  await cluster.addNode();
  cluster.start(4);
  await cluster.until('the fourth has no data', async () => (await loads()).get(4) === 12, MOVES_DEADLINE_MS);
  const { url } = cluster.node(2);
  const drained = runCli(url, ['drain', 'kvorum-4', '--wait']);
  assert.equal(drained.stdout, 'kvorum-4 holds no data any more and was removed\n', drained.stderr);
  assert.equal((await loads()).size, 3);
  const { operations } = await read<{ operations: Operation[] }>('/v1/operations?state=done');
  const drain = operations.find(({ id }) => id.startsWith('drain-'));
  assert.match(drain?.by ?? '', /@/);
  const rebalance = operations.find(({ id }) => id.startsWith('rebalance-'));
  assert.equal(rebalance?.by, 'automatic');
  const before = await topology();
  const cancelled = runCli(url, ['operations', 'cancel', drain?.id ?? '']);
  assert.deepEqual([cancelled.status, /OPERATION_NOT_CANCELLABLE/.test(cancelled.stderr)], [3, true]);
  const again = runCli(url, ['drain', 'kvorum-4']);
  assert.deepEqual([again.status, /MEMBER_NOT_FOUND/.test(again.stderr)], [3, true], again.stderr);
  assert.deepEqual(await topology(), before);
  await cluster.stop(4);
});

test('of three that are asked at once for three nodes one says yes; that node alone is stopped, and ends well', async () => {
  const names = ['kvorum-1', 'kvorum-2', 'kvorum-3'];
  const verdicts = await Promise.all(names.map((name, i) => canStop(name, ((i + 1) % 3) + 1)));
  const free = names.filter((_, i) => verdicts[i]?.canStop === true);
  assert.equal(free.length, 1, JSON.stringify(verdicts));
  const [name = ''] = free;
  for (const verdict of verdicts.filter((each) => !each.canStop))
    assert.match(verdict.reasons.join('\n'), new RegExp(`${name} was told`));

  const stopped = cluster.nodes.find((node) => node.name === name) as ClusterNode;
  const other = cluster.nodes.find((node) => node.name !== name && node.index !== 4) as ClusterNode;
  const refused = runCli(stopped.url, ['nodes', 'stop', other.name]);
  assert.deepEqual([refused.status, /--force stops it nevertheless/.test(refused.stderr)], [1, true]);
  const exit = stopped.process.exited;
  const stop = runCli(other.url, ['nodes', 'stop', name]);
  assert.deepEqual([stop.status, stop.stderr], [0, '']);
  assert.equal(await exit, 0);
  assert.equal(other.isRunning, true);

  cluster.start(stopped.index);
  await cluster.until('the lease did not end with the start', async () => {
    const verdict = await other.request<Verdict>(`/v1/nodes/${other.name}/can-stop?look=true`);
    return verdict.type === 'ok' && verdict.body.canStop;
  });
});
