import { Cluster } from '../lib/cluster.ts';
import { ClusterLoad } from '../lib/cluster-load.ts';
import type { ClusterNode } from '../lib/cluster-node.ts';
import { isInsideNetwork, Network, networkObstacle, runInNetwork } from '../lib/network.ts';
import { clusterOf, distributionOf } from './cluster-soak.ts';
import type { Soak, SoakRun } from './soak.ts';

/**
 * Two of five nodes, in turn with and without the leader, are cut off under a stream of changes. They refuse changes
 * and linearizable reads and say why; the three go on; healing needs no hands, and the history is one.
 */
export const partitionSoak: Soak = async (run) => {
  if (isInsideNetwork()) return partitionRounds(run);
  const obstacle = networkObstacle();
  if (obstacle !== undefined) return `not run: ${obstacle}`;
  const script = ['e2e/soak.ts', 'partition', '--rounds', String(run.rounds), '--engine', run.engine];
  let summary = '';
  const code = await runInNetwork(script, (line) => {
    const text = line.replace(`partition ${run.engine}: `, '');
    if (text.includes(' partitions, ')) summary = text;
    else run.progress(text);
  });
  if (code !== 0) throw new Error(`the run in a network of its own ended with ${code}`);
  return summary;
};

async function partitionRounds(run: SoakRun): Promise<string> {
  const options = clusterOf(run);
  const network = new Network({ size: options.size });
  await using cluster = await Cluster.start({ ...options, place: (index) => network.place(index) });
  const load = new ClusterLoad(cluster);
  load.start();
  const gapsMs: number[] = [];
  const healsMs: number[] = [];
  for (let round = 1; round <= run.rounds; round++) {
    const minority = await chooseMinority(cluster, round);
    const majority = cluster.nodes.filter((node) => !minority.includes(node));
    network.partition([majority.map(({ index }) => index), minority.map(({ index }) => index)]);
    const refused = Promise.all(minority.map((node) => mustNotAccept(load, node)));
    gapsMs.push(await load.nextAcceptedMs());
    await refused;
    for (const node of minority) await mustSayLost(cluster, node);
    await mustSayMissing(cluster, majority, minority);
    network.heal();
    const healedAt = performance.now();
    await cluster.until('the healed cluster did not come together', async () => {
      const statuses = await Promise.all(cluster.nodes.map((node) => node.status()));
      return statuses.every((status) => status?.quorum.state === 'ok' && status.leader !== undefined);
    });
    healsMs.push(performance.now() - healedAt);
    load.check();
    run.progress(
      `round ${round} of ${run.rounds}: ${minority.map(({ name }) => name).join(' and ')} cut off, healed after ${Math.round(healsMs.at(-1) ?? 0)} ms`,
    );
  }
  const summary = await load.stop();
  return `${run.rounds} partitions, the majority accepted after ${distributionOf(gapsMs)}, healed after ${distributionOf(healsMs)}; ${summary}`;
}

/** Odd rounds cut off the leader and another one, even rounds two that follow. */
async function chooseMinority(cluster: Cluster, round: number): Promise<readonly ClusterNode[]> {
  const leader = await cluster.leader();
  const followers = cluster.nodes.filter((node) => node !== leader);
  const shift = round % followers.length;
  const chosen = [...followers.slice(shift), ...followers.slice(0, shift)];
  return round % 2 === 1 ? [leader, ...chosen.slice(0, 1)] : chosen.slice(0, 2);
}

/** Right after the cut the node may not know of it yet: the outcome may be unknown, but never a success. */
async function mustNotAccept(load: ClusterLoad, node: ClusterNode): Promise<void> {
  const answer = await load.change(node);
  if (answer.type === 'ok') throw new Error(`${node.name} accepted a change without a majority`);
  if (answer.type === 'refused' && answer.code !== 'NO_LEADER')
    throw new Error(`${node.name} refused with ${answer.detail}, not with NO_LEADER`);
}

/** Once it knows, it refuses changes and linearizable reads with NO_LEADER, and is not ready, with the reason. */
async function mustSayLost(cluster: Cluster, node: ClusterNode): Promise<void> {
  await cluster.until(`${node.name} did not notice that its quorum is lost`, async () => {
    const status = await node.status();
    return status?.quorum.state === 'lost' && status.leader === undefined;
  });
  const change = await cluster.change(node.index, node.name, 999);
  const read = await node.request('/v1/topology?consistency=linearizable');
  for (const [what, answer] of Object.entries({ change, read }))
    if (answer.type !== 'refused' || answer.status !== 503 || answer.code !== 'NO_LEADER')
      throw new Error(`${node.name} answered a ${what} without a majority with ${JSON.stringify(answer)}`);
  const local = await node.request('/v1/topology?consistency=local');
  if (local.type !== 'ok') throw new Error(`${node.name} has no local topology: ${local.detail}`);
  const ready = await fetch(`${node.url}/readyz`);
  const text = await ready.text();
  if (ready.status !== 503 || !/majority/.test(text))
    throw new Error(`/readyz of ${node.name} says ${ready.status} ${text}`);
}

async function mustSayMissing(
  cluster: Cluster,
  majority: readonly ClusterNode[],
  minority: readonly ClusterNode[],
): Promise<void> {
  const names = minority.map(({ name }) => name).toSorted();
  for (const node of majority)
    await cluster.until(`${node.name} does not say that ${names.join(' and ')} are missing`, async () => {
      const status = await node.status();
      return status?.quorum.state === 'degraded' && status.quorum.missing.toSorted().join() === names.join();
    });
}
