import { Cluster } from '../lib/cluster.ts';
import { ClusterLoad } from '../lib/cluster-load.ts';
import { clusterOf, distributionOf } from './cluster-soak.ts';
import type { Soak } from './soak.ts';

/** All nodes are killed at once and start again at other addresses: one cluster, the same, with the same members. */
export const restartSoak: Soak = async (run) => {
  await using cluster = await Cluster.start(clusterOf(run));
  const before = await identitiesOf(cluster);
  const timesMs: number[] = [];
  for (let round = 1; round <= run.rounds; round++) {
    const load = new ClusterLoad(cluster, { label: `round-${round}-` });
    load.start();
    await load.nextAcceptedMs();
    await Promise.all(cluster.nodes.map((node) => cluster.kill(node.index)));
    for (const node of cluster.nodes) await node.takePorts();
    const startedAt = performance.now();
    for (const node of cluster.nodes) cluster.start(node.index);
    await load.nextAcceptedMs();
    timesMs.push(performance.now() - startedAt);
    const summary = await load.stop();
    const after = await identitiesOf(cluster);
    if (after !== before) throw new Error(`the nodes were\n${before}\nand are\n${after}`);
    run.progress(
      `round ${round} of ${run.rounds}: a change was accepted ${Math.round(timesMs.at(-1) ?? 0)} ms after the start with other addresses; ${summary}`,
    );
  }
  return `${run.rounds} restarts of all nodes with other addresses, changes accepted after ${distributionOf(timesMs)}`;
};

/** Of which cluster each node is, and as which member. */
async function identitiesOf(cluster: Cluster): Promise<string> {
  const statuses = await Promise.all(cluster.nodes.map((node) => cluster.status(node.index)));
  return statuses
    .map((status) => `${status.clusterId} ${status.node.name} is member ${status.node.member}`)
    .join('\n');
}
