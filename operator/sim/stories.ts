import type { Prng } from '../../store/core/prng/prng.ts';
import { Violation } from '../../store/sim/checkers/violation.ts';
import { statefulSets } from '../kube/resources.ts';
import { kvClusters } from '../reconcile/kinds.ts';
import type { SimCluster } from './cluster.ts';
import { HINDRANCES } from './plan.ts';
import { comeToRest } from './rest.ts';
import type { SimWorld } from './world.ts';

/** What is so rare that it would hardly come up by chance, told once the faults are over. */

const MINUTE_MS = 60_000;
/** A change of mind is seen this soon, also where another KVCluster gets nowhere. */
const SEEN_MS = 30_000;
/** So long after the faults no watch is silent any more. */
const CALM_MS = 10 * MINUTE_MS;
const HOMELESS_MS = 6 * MINUTE_MS;
const BY_HAND_MS = 3 * MINUTE_MS;

/** One KVCluster gets nowhere until the others are at rest; then each has its own story. */
export async function theLastDays(world: SimWorld, prng: Prng): Promise<void> {
  const { clusters } = world;
  const calmMs = world.clock.monotonicMs() + CALM_MS;
  const stuck = clusters[prng.below(clusters.length)]!;
  stuck.hindrance = HINDRANCES[prng.below(HINDRANCES.length)]!;
  world.note(`${stuck.key} is ${stuck.hindrance}`);
  for (const { user } of clusters) {
    user.comeToRest();
    world.every(BY_HAND_MS, () => void user.replaceByHand());
    world.every(BY_HAND_MS, () => user.keepZones());
    world.every(BY_HAND_MS, () => user.removeStrangePod());
  }
  const others = clusters.filter((each) => each !== stuck);
  await comeToRest(world, others);
  await world.run(Math.max(0, calmMs - world.clock.monotonicMs()));
  await changeIsSeen(world, others.filter(({ user }) => user.isWanted).at(prng.below(2)));
  // Its pod finds no other node for long: what is on a volume that would follow it is not lost for that.
  if (stuck.hindrance === 'unschedulable' && world.outages.takeOneOf(stuck)) await world.run(HOMELESS_MS);
  stuck.hindrance = undefined;
  for (const { user } of clusters) user.sendStrangerAway();
  world.note(`${stuck.key} is free`);
  await comeToRest(world, clusters);
  const wanted = clusters.filter(({ user }) => user.isWanted);
  for (const { user } of wanted) {
    user.edit();
    user.scribble();
  }
  await comeToRest(world, clusters);
  const cluster = wanted[prng.below(Math.max(1, wanted.length))];
  if (cluster === undefined) return;
  if (prng.below(2) === 0) await callBack(world, cluster);
  else goWithoutItsSet(world, cluster);
}

async function changeIsSeen(world: SimWorld, cluster: SimCluster | undefined): Promise<void> {
  if (cluster === undefined) return;
  const { user, ref, key } = cluster;
  const isEnabled = user.spec.podDisruptionBudget?.enabled !== false;
  user.wish({ podDisruptionBudget: { enabled: !isEnabled } });
  const isSeen = await world.run(SEEN_MS, () => {
    const { metadata, status } = world.api.get(kvClusters, ref) ?? {};
    return status?.observedGeneration === metadata?.generation;
  });
  const check = 'a KVCluster that gets nowhere keeps no other one waiting';
  if (!isSeen) throw new Violation(check, `${key}: a change was not seen within ${SEEN_MS / 1000} s`);
}

/** Fewer members are wished, and while one of them gives its data away as many as before. */
async function callBack(world: SimWorld, { user, view, key }: SimCluster): Promise<void> {
  const { replicas, replicationFactor } = user.spec;
  if (replicas <= replicationFactor) return;
  const isLeaving = () => [...(view.inner?.members.values() ?? [])].some(({ going }) => going === 'drain');
  view.isBlocked = true;
  user.wish({ replicas: replicas - 1 });
  await world.run(3 * MINUTE_MS, isLeaving);
  user.wish({ replicas });
  await world.run(SEEN_MS);
  if (isLeaving()) throw new Violation('who stays keeps its data', `${key}: a member that stays is drained`);
  view.isBlocked = false;
}

/** It is deleted in the moment in which its StatefulSet is away, to be made anew. */
function goWithoutItsSet(world: SimWorld, { user, ref }: SimCluster): void {
  world.api.onChange(({ type, resource, object: { metadata } }) => {
    const isOwn = metadata.name === ref.name && metadata.namespace === ref.namespace;
    if (type !== 'DELETED' || resource.kind !== statefulSets.kind || !isOwn || !user.isWanted) return;
    // Not within the call that deletes it.
    world.after(1, () => user.leave());
  });
  user.outgrow();
}
