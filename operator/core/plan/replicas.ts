import type { Observation, TopologySeen } from '../observation.ts';
import { isInTheWay } from './claims.ts';
import { act, type Finding, wait } from './finding.ts';
import { claimAt, isOurs, neededReplicas, ordinalsTo } from './ordinals.ts';

/** More pods need nobody's word, as long as none starts on what a member left behind. */
export function growReplicas(seen: Observation): readonly Finding[] {
  const { statefulSet, cluster, store } = seen;
  if (statefulSet === undefined) return [];
  const { replicas } = statefulSet;
  const { topology } = store;
  const goal = topology === undefined ? cluster.wish.replicas : neededReplicas(seen, topology);
  const wanted = ordinalsTo(goal).slice(replicas);
  const stop = wanted.find((ordinal) => isInTheWay(seen, ordinal));
  const to = stop ?? goal;
  if (to > replicas)
    return [act('scale', `from ${replicas} to ${to} pods`, { type: 'set-replicas', from: replicas, to })];
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
  const from = statefulSet.replicas;
  return [
    act('scale', `from ${from} to ${to} pods: the others have left`, { type: 'set-replicas', from, to }),
  ];
}
