import type { Observation, PodSeen, TopologySeen } from '../observation.ts';
import { isInTheWay } from './claims.ts';
import { act, type Finding, wait } from './finding.ts';
import {
  claimAt,
  heardReplicas,
  isOurs,
  listed,
  neededReplicas,
  nodeNamed,
  ordinalsTo,
  podAt,
} from './ordinals.ts';
import { UNREADY_STUCK_MS } from './stuck-pods.ts';

/** More pods need nobody's word, as long as none starts on what a member left behind. */
export function growReplicas(seen: Observation): readonly Finding[] {
  const { statefulSet, store } = seen;
  if (statefulSet === undefined) return [];
  const { replicas, uid, version } = statefulSet;
  const { topology } = store;
  const goal = topology === undefined ? heardReplicas(seen) : neededReplicas(seen, topology);
  const wanted = ordinalsTo(goal).slice(replicas);
  const stop = wanted.find((ordinal) => isInTheWay(seen, ordinal));
  const to = stop ?? goal;
  if (to > replicas)
    return [
      act('scale', `from ${replicas} to ${to} pods`, {
        type: 'set-replicas',
        uid,
        version,
        from: replicas,
        to,
      }),
    ];
  if (stop === undefined) return [];
  const claim = claimAt(seen, stop)?.name;
  return [
    wait('scale', 'WaitingForVolume', `${claim} of a member that left has to go before its pod starts`),
  ];
}

/** Fewer pods: of the highest ordinals those that are no members any more, once their volumes are marked. */
export function shrinkReplicas(seen: Observation, topology: TopologySeen): readonly Finding[] {
  const { statefulSet } = seen;
  const to = neededReplicas(seen, topology);
  if (statefulSet === undefined || statefulSet.replicas <= to) return [];
  const unmarked = seen.claims.some(
    (claim) => isOurs(seen, claim) && claim.ordinal >= to && claim.left === undefined && !claim.isTerminating,
  );
  if (unmarked) return [wait('scale', 'MarkingVolumes', 'volumes of members that left are marked first')];
  const { replicas: from, uid, version } = statefulSet;
  const joining = ordinalsTo(from)
    .slice(to)
    .filter((ordinal) => mayJoin(seen, ordinal));
  if (joining.length > 0) return [wait('scale', 'WaitingForJoin', joiningText(seen, joining))];
  return [
    act('scale', `from ${from} to ${to} pods: the others have left`, {
      ...{ type: 'set-replicas', uid, version, from, to },
    }),
  ];
}

/**
 * A node that runs or is about to, and is no member yet, could become one while its pod ends, which takes its time: a member without a pod, and
 * maybe without which there is no majority. It joins first, and leaves then; what has not joined for long, although it could, does not.
 */
function mayJoin(seen: Observation, ordinal: number): boolean {
  const pod = podAt(seen, ordinal);
  if (pod === undefined) return false;
  if (!pod.isRunning) return mayStart(seen, pod);
  if (nodeNamed(seen, pod.name)?.state === 'excluded') return false;
  const couldMs = Math.max(pod.readyChangedMs, servingSinceMs(seen));
  return (pod.isReady && !pod.isTerminating) || seen.nowMs - couldMs < UNREADY_STUCK_MS;
}

/** Nothing is said against it, and it is not waited for in vain. */
function mayStart({ nowMs }: Observation, pod: PodSeen): boolean {
  const { isTerminating, stuckReason, readyChangedMs } = pod;
  return !isTerminating && stuckReason === undefined && nowMs - readyChangedMs < UNREADY_STUCK_MS;
}

/** Since when there is a cluster that can be joined, at the latest: until it was made all pods were waiting for it. */
function servingSinceMs({ pods, nowMs }: Observation): number {
  return Math.min(
    nowMs,
    ...pods.filter(({ isReady }) => isReady).map(({ readyChangedMs }) => readyChangedMs),
  );
}

function joiningText(seen: Observation, ordinals: readonly number[]): string {
  const names = listed(ordinals.map((ordinal) => podAt(seen, ordinal)?.name ?? ''));
  return `${names} may be joining just now: it is drained once it has`;
}
