import type { Observation } from '../observation.ts';
import { act, blocking, type Finding, refuse, SOON_MS, wait } from './finding.ts';
import { lostBeforeStart } from './lost-volumes.ts';
import { listed, nodeNamed, ordinalsTo, podAt, podName } from './ordinals.ts';

/**
 * The store's cluster is made once, by NAME-0 and under the id of the status: asked again, it is the same one. Nobody makes one where any node is
 * of a cluster already, and never where the store was seen to live before: empty disks are lost data then.
 */
export function bootstrap(seen: Observation): readonly Finding[] {
  const { store, cluster } = seen;
  if (store.topology !== undefined || cluster.clusterId === undefined) return [];
  if (store.nodes.some(({ state }) => state !== 'waiting')) return [];
  const missing = missingNodes(seen);
  if (missing.length > 0 && cluster.hasLived) return [];
  if (missing.length > 0)
    return [...lostBeforeStart(seen), blocking(wait('start', 'WaitingForPods', missingText(seen, missing)))];
  if (cluster.hasLived) return [blocking(refuse('store', 'DataLost', LOST_TEXT))];
  const { replicationFactor, partitions } = cluster.wish;
  const node = podName(seen, 0);
  const what = {
    type: 'bootstrap',
    node,
    clusterId: cluster.clusterId,
    replicationFactor,
    partitions,
  } as const;
  return [act('start', `${node} makes the cluster`, what)];
}

const LOST_TEXT =
  'all nodes are up with empty disks, and there was data before: no new cluster is made by itself. ' +
  'Bring the old volumes back, or delete the KVCluster and create it again, empty';

/** Those that have not said that they are of no cluster. A pod that never ran is not waited for where enough others are there. */
function missingNodes(seen: Observation): readonly number[] {
  const { replicas, replicationFactor } = seen.cluster.wish;
  const silent = ordinalsTo(replicas).filter((i) => nodeNamed(seen, podName(seen, i)) === undefined);
  const running = silent.filter((i) => i === 0 || podAt(seen, i)?.isRunning === true);
  const isEnough = replicas - silent.length >= Math.max(replicationFactor, Math.floor(replicas / 2) + 1);
  return isEnough ? running : silent;
}

function missingText(seen: Observation, ordinals: readonly number[]): string {
  const texts = ordinals.map((ordinal) => {
    const reason = podAt(seen, ordinal)?.stuckReason;
    return podName(seen, ordinal) + (reason === undefined ? '' : ` (${reason})`);
  });
  return `waiting for ${listed(texts)} to start`;
}

/** Everything after this rests on what the leader says, of the cluster that this KVCluster is about. */
export function storeAnswers({ store, cluster }: Observation): readonly Finding[] {
  const { topology } = store;
  if (topology === undefined)
    return [blocking(wait('store', 'NoLeader', silenceText(store.nodes.length), SOON_MS))];
  if (topology.clusterId !== cluster.clusterId) {
    const message =
      `the store is cluster ${topology.clusterId}, and the status has ${cluster.clusterId}: nothing is touched. ` +
      'After a recovery by hand, create a KVCluster of another name and import the data';
    return [blocking(refuse('store', 'OtherCluster', message))];
  }
  return topology.isPlaced
    ? []
    : [wait('start', 'Forming', 'the partitions wait for enough members to be placed', SOON_MS)];
}

function silenceText(answering: number): string {
  return answering === 0
    ? 'no node of the store answers'
    : 'the store has no leader, or is of no cluster yet';
}
