import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { Cluster } from './lib/cluster.ts';
import type { ClusterNode } from './lib/cluster-node.ts';
import { runCli } from './lib/run-cli.ts';
import { TestDirectory } from './lib/test-directory.ts';
import type { TopologyDocument } from './lib/topology-history.ts';

const NO_URL = 'http://127.0.0.1:1';

test('a majority that is lost for good: kvorum cluster recover makes a new cluster of one survivor, and others join it', async () => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.start({
    directory: directory.path,
    size: 5,
    settings: { 'cluster.partitions': 8 },
  });
  const [first, , , survivor, leftBehind] = cluster.nodes as [
    ClusterNode,
    ClusterNode,
    ClusterNode,
    ClusterNode,
    ClusterNode,
  ];
  const acknowledged = await cluster.change(1, survivor.name, 321);
  assert.equal(acknowledged.type, 'ok', JSON.stringify(acknowledged));
  await cluster.settled();
  const { clusterId: oldId } = await cluster.status(1);
  await Promise.all([1, 2, 3].map((index) => cluster.kill(index)));
  await cluster.until('the survivors do not say that the majority is lost', async () => {
    const statuses = await Promise.all(cluster.awake().map((node) => node.status()));
    return statuses.every((status) => status?.quorum.state === 'lost');
  });

  const data = `${survivor.directory}/data`;
  const recover = (...args: readonly string[]) =>
    runCli(NO_URL, ['--output', 'json', 'cluster', 'recover', '--data-dir', data, ...args]);
  const whileRunning = recover();
  assert.notEqual(whileRunning.status, 0);
  assert.match(whileRunning.stderr, /in use by a running node/);
  assert.equal(await cluster.stop(survivor.index), 0);
  const plan = recover();
  assert.equal(plan.status, 0, plan.stderr);
  assert.equal((JSON.parse(plan.stdout) as { recovered: boolean }).recovered, false);
  assert.notEqual(recover('--confirm', 'f'.repeat(32)).status, 0, 'another id is no confirmation');
  const done = recover('--confirm', oldId as string);
  assert.equal(done.status, 0, done.stderr);
  const { clusterId } = (JSON.parse(done.stdout) as { made: { clusterId: string } }).made;
  assert.notEqual(clusterId, oldId);

  cluster.start(survivor.index);
  await cluster.until('the survivor does not lead the new cluster', async () => {
    const status = await survivor.status();
    return status?.clusterId === clusterId && status.node.role === 'leader' && status.members.total === 1;
  });
  const topology = await survivor.request<TopologyDocument>('/v1/topology');
  assert.ok(topology.type === 'ok');
  assert.deepEqual(
    topology.body.members.map(({ name, weight }) => [name, weight]),
    [[survivor.name, 321]],
  );

  // Who still is of the old cluster is kept out, and says what it is missing.
  const old = await cluster.status(leftBehind.index);
  assert.deepEqual([old.clusterId, old.quorum.state], [oldId, 'lost']);
  await cluster.stop(leftBehind.index);
  for (const node of [leftBehind, first]) {
    rmSync(`${node.directory}/data`, { recursive: true });
    cluster.start(node.index, { 'cluster.bootstrap': 'false' });
  }
  await cluster.settled();
  assert.deepEqual(
    await Promise.all(cluster.awake().map(async ({ index }) => (await cluster.status(index)).clusterId)),
    [clusterId, clusterId, clusterId],
  );
});
