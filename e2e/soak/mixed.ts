import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../lib/cluster.ts';
import { ClusterLoad } from '../lib/cluster-load.ts';
import type { ClusterNode } from '../lib/cluster-node.ts';
import { clusterOf, distributionOf } from './cluster-soak.ts';
import type { Soak } from './soak.ts';

const SETTLE_MS = 90_000;
const PAUSE_MS_MAX = 6000;

type Fault = (cluster: Cluster, victim: ClusterNode, other: ClusterNode) => Promise<void>;

/** Faults that five voters must survive; each ends with all nodes running. */
const FAULTS: Readonly<Record<string, Fault>> = {
  async 'kill and start again'(cluster, victim) {
    await cluster.kill(victim.index);
    cluster.start(victim.index);
  },
  async 'kill two, start them again at other addresses'(cluster, victim, other) {
    await Promise.all([cluster.kill(victim.index), cluster.kill(other.index)]);
    await cluster.restart(victim.index, { withNewPorts: true });
    await cluster.restart(other.index, { withNewPorts: true });
  },
  async 'stand still, two at different times'(_cluster, victim, other) {
    victim.pause();
    await sleep(Math.random() * PAUSE_MS_MAX);
    other.pause();
    await sleep(Math.random() * PAUSE_MS_MAX);
    victim.wake();
    await sleep(Math.random() * PAUSE_MS_MAX);
    other.wake();
  },
  async 'stop and start at another address'(cluster, victim) {
    const code = await cluster.stop(victim.index);
    if (code !== 0) throw new Error(`SIGTERM ended ${victim.name} with ${code}`);
    await cluster.restart(victim.index, { withNewPorts: true });
  },
  async 'kill in the middle of a start'(cluster, victim) {
    await cluster.kill(victim.index);
    for (let i = 0; i < 3; i++) {
      cluster.start(victim.index);
      await sleep(Math.random() * 1500);
      await cluster.kill(victim.index);
    }
    cluster.start(victim.index);
  },
  async 'lose the disk'(cluster, victim) {
    await cluster.kill(victim.index);
    rmSync(`${victim.directory}/data`, { recursive: true });
    // The first node would make a cluster of an empty directory: it is to join this one.
    cluster.start(victim.index, { 'cluster.bootstrap': 'false' });
  },
  async 'hand over leadership, and kill who takes it'(cluster, victim) {
    await victim.request('/v1/cluster:transfer-leadership', { method: 'POST', body: {} });
    const leader = await cluster.leader();
    await cluster.kill(leader.index);
    cluster.start(leader.index);
  },
};

/** Random faults to random nodes, the leader among them half of the time, under a stream of changes. */
export const mixedSoak: Soak = async (run) => {
  await using cluster = await Cluster.start(clusterOf(run));
  const load = new ClusterLoad(cluster);
  load.start();
  const settleMs: number[] = [];
  const names = Object.keys(FAULTS);
  for (let round = 1; round <= run.rounds; round++) {
    const name = names[Math.floor(Math.random() * names.length)] as string;
    const [victim, other] = await chooseVictims(cluster);
    const startedAt = performance.now();
    await (FAULTS[name] as Fault)(cluster, victim, other);
    await load.nextAcceptedMs();
    await cluster.until('the cluster is not whole', async () => isWhole(cluster), SETTLE_MS);
    settleMs.push(performance.now() - startedAt);
    load.check();
    run.progress(
      `round ${round} of ${run.rounds}: ${victim.name} (${other.name}): ${name}; whole after ${Math.round(settleMs.at(-1) ?? 0)} ms`,
    );
  }
  return `${run.rounds} faults, whole after ${distributionOf(settleMs)}; ${await load.stop()}`;
};

async function chooseVictims(cluster: Cluster): Promise<readonly [ClusterNode, ClusterNode]> {
  const leader = await cluster.leader();
  const shuffled = cluster.nodes
    .map((node) => ({ node, at: node === leader ? Math.random() * 0.6 : Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ node }) => node);
  return [shuffled[0] as ClusterNode, shuffled[1] as ClusterNode];
}

async function isWhole(cluster: Cluster): Promise<boolean> {
  const statuses = await Promise.all(cluster.nodes.map((node) => node.status()));
  return statuses.every(
    (status) =>
      status?.node.state === 'member' &&
      status.quorum.state === 'ok' &&
      status.quorum.voters.length === cluster.nodes.length &&
      status.members.alive === cluster.nodes.length,
  );
}
