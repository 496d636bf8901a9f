import type { Observation, PodSeen } from '../observation.ts';
import { act, type Finding } from './finding.ts';
import { isOutdated, memberNamed, nodeNamed } from './ordinals.ts';

/** A pod that runs and is not ready for this long, while no leader answers, is not waited for any more. */
export const UNREADY_STUCK_MS = 300_000;

/**
 * Pods of an older template that do not run are replaced before all else and ask nobody: they are what a broken spec left behind, and
 * the next spec is the way out (kubernetes/kubernetes#67250). No process is stopped by it.
 */
export function stuckPods(seen: Observation): readonly Finding[] {
  if (!isTemplateReady(seen)) return [];
  const stuck = seen.pods.filter((pod) => isOutdated(seen, pod) && !pod.isTerminating && isStuck(seen, pod));
  const next = stuck.toSorted((a, b) => b.ordinal - a.ordinal)[0];
  if (next === undefined) return [];
  const message = `${next.name} does not run and is of an older spec${reasonOf(next)}`;
  const { name: pod, uid, version } = next;
  return [act('upgrade', message, { type: 'restart-pod', pod, uid, version, gate: 'none' })];
}

/** A pod that is deleted now comes back as it is wanted. */
export function isTemplateReady({ statefulSet }: Observation): boolean {
  return (
    statefulSet !== undefined &&
    statefulSet.seenHash === statefulSet.wantedHash &&
    statefulSet.isObserved &&
    !statefulSet.isDeleting
  );
}

function isStuck(seen: Observation, pod: PodSeen): boolean {
  if (!pod.isRunning) return pod.stuckReason !== undefined;
  return !pod.isReady && (isNoMember(seen, pod) || isForgotten(seen, pod));
}

/** Its node says itself that it is of no cluster. */
function isNoMember(seen: Observation, { name }: PodSeen): boolean {
  const { topology } = seen.store;
  if (nodeNamed(seen, name)?.state !== 'waiting') return false;
  return topology === undefined || memberNamed(topology, name) === undefined;
}

/** Without a leader nobody can say whether it may stop; waiting for one that needs the new spec would last for ever. */
function isForgotten({ store, nowMs }: Observation, { readyChangedMs }: PodSeen): boolean {
  return store.topology === undefined && nowMs - readyChangedMs >= UNREADY_STUCK_MS;
}

function reasonOf({ stuckReason }: PodSeen): string {
  return stuckReason === undefined ? '' : `: ${stuckReason}`;
}
