import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { Cluster } from './lib/cluster.ts';
import { DataHistory, type Target } from './lib/data-history.ts';
import { verify } from './lib/replicas-equal.ts';
import { TestDirectory } from './lib/test-directory.ts';

const PARTITIONS = 32;
const SETTINGS = {
  'cluster.partitions': PARTITIONS,
  'cluster.rebalanceAfterMs': 200,
  'storage.reserveBytes': 0,
};
const MOVES_DEADLINE_MS = 60_000;

type Ring = { readonly sets: readonly { readonly replicas: readonly number[] }[] };

/** How many partitions each member number is a replica of, as `index` knows it. */
async function loads(cluster: Cluster, index: number): Promise<ReadonlyMap<number, number>> {
  const answer = await fetch(`${cluster.node(index).url}/v1/ring`);
  const ring = (await answer.json()) as Ring;
  const counts = new Map<number, number>();
  for (const { replicas } of ring.sets)
    for (const member of replicas) counts.set(member, (counts.get(member) ?? 0) + 1);
  return counts;
}

type Topology = { readonly members: readonly { readonly number: number; readonly name: string }[] };

/** Nodes that start together are numbered in the order in which they come to join. */
async function numberOf(cluster: Cluster, wanted: string): Promise<number> {
  const answer = await fetch(`${cluster.node(1).url}/v1/topology`);
  const { members } = (await answer.json()) as Topology;
  return members.find(({ name }) => name === wanted)?.number as number;
}

/** Waits until `size` members share the data, and the one that is `gone` has none of it. */
async function untilBalanced(cluster: Cluster, size: number, gone?: number): Promise<void> {
  const ideal = (3 * PARTITIONS) / size;
  await cluster.until(
    `the data is not shared by ${size} members`,
    async () => {
      const counts = await loads(cluster, 1);
      const isShared = [...counts.values()].every((count) => Math.abs(count - ideal) <= 1);
      return isShared && counts.size === size && (gone === undefined || !counts.has(gone));
    },
    MOVES_DEADLINE_MS,
  );
}

test('a node joins, another is killed and comes back wiped, under load: nothing is lost, all replicas are equal', async (t) => {
  using directory = new TestDirectory();
  await using cluster = await Cluster.start({ directory: directory.path, size: 3, settings: SETTINGS });
  const targets = (): Target[] => cluster.awake().map(({ name, url }) => ({ name, url }));
  await cluster.until('the nodes do not serve data', async () => {
    const answers = await Promise.all(
      targets().map(({ url }) => fetch(`${url}/v1/kv/default/any`).then(({ status }) => status)),
    );
    return answers.every((status) => status === 404);
  });
  await using history = new DataHistory({ keys: 40, label: 'moving-' });
  const stop = new AbortController();
  using _ = { [Symbol.dispose]: () => stop.abort() };
  const running = history.run({ clients: 8, targets, signal: stop.signal });
  await Promise.race([history.more(300), running]);

  await cluster.addNode();
  cluster.start(4);
  await untilBalanced(cluster, 4);
  await Promise.race([history.more(200), running]);

  const gone = await numberOf(cluster, cluster.node(2).name);
  await cluster.kill(2);
  rmSync(`${cluster.node(2).directory}/data`, { recursive: true });
  cluster.start(2);
  await untilBalanced(cluster, 4, gone);
  await Promise.race([history.more(200), running]);

  stop.abort();
  await running;
  await history.readAll(targets());
  assert.ok(history.verify() >= 700, history.summary());
  t.diagnostic(history.summary());
  await cluster.until('the replicas are not equal', async () => {
    const report = await verify(cluster.node(3));
    return report.type === 'report' && report.equal === PARTITIONS && report.problems?.length === 0;
  });
});
