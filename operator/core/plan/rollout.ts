import type { Observation, PodSeen, TopologySeen } from '../observation.ts';
import type { StopGate } from './act.ts';
import { act, type Finding, refuse, wait } from './finding.ts';
import { isOutdated, listed, memberNamed, ordinalsTo, podAt, podName } from './ordinals.ts';
import { isTemplateReady } from './stuck-pods.ts';

/** A pod of the new template that is not ready for this long is told of as a failure of it. */
export const ROLLOUT_STUCK_MS = 600_000;

/**
 * Pods of an older template are restarted one at a time, the highest ordinal first, each with the store's word that nothing is lost
 * meanwhile. The first one that does not come back keeps the others as they are. Those that leave anyhow are left alone.
 */
export function rollout(seen: Observation, topology: TopologySeen): readonly Finding[] {
  const outdated = outdatedPods(seen);
  if (outdated.length === 0) return [];
  if (!isTemplateReady(seen))
    return [wait('upgrade', 'WaitingForTemplate', 'the StatefulSet is not up to date yet')];
  const unready = outdated.find(({ isReady }) => !isReady);
  const next = unready ?? outdated[0];
  if (next === undefined) return [];
  const obstacle = obstacleTo(seen, topology, next);
  if (obstacle !== undefined) return [obstacle];
  const message = `${next.name} restarts, ${outdated.length - 1} more after it`;
  const { name: pod, uid, version } = next;
  const gate = gateOf(topology, next);
  return [act('upgrade', message, { type: 'restart-pod', pod, uid, version, gate })];
}

/** Highest ordinal first. */
export function outdatedPods(seen: Observation): readonly PodSeen[] {
  const { replicas } = seen.cluster.wish;
  return seen.pods
    .filter((pod) => pod.ordinal < replicas && isOutdated(seen, pod))
    .toSorted((a, b) => b.ordinal - a.ordinal);
}

function obstacleTo(seen: Observation, topology: TopologySeen, next: PodSeen): Finding | undefined {
  if (next.isTerminating) return wait('upgrade', 'Restarting', `${next.name} is ending`);
  const others = ordinalsTo(seen.cluster.wish.replicas).filter((ordinal) => ordinal !== next.ordinal);
  const away = others.filter(
    (i) => !isServing(seen, topology, i) && !(isWaiting(seen, next) && isWaiting(seen, podAt(seen, i))),
  );
  if (away.length === 0) return undefined;
  const failed = away.map((ordinal) => podAt(seen, ordinal)).find((pod) => pod && isFailed(seen, pod));
  if (failed !== undefined) return refuse('upgrade', 'RolloutStuck', stuckText(failed));
  const names = listed(away.map((ordinal) => podName(seen, ordinal)));
  return wait('upgrade', 'WaitingForReplicas', `${next.name} waits until ${names} is back and has caught up`);
}

/** Of several that wait for the new template none waits for another one. */
function isWaiting(seen: Observation, pod: PodSeen | undefined): boolean {
  return pod !== undefined && isOutdated(seen, pod) && !pod.isReady && !pod.isTerminating;
}

function isServing(seen: Observation, topology: TopologySeen, ordinal: number): boolean {
  const pod = podAt(seen, ordinal);
  const member = memberNamed(topology, podName(seen, ordinal));
  return pod?.isReady === true && !pod.isTerminating && member?.isUp === true;
}

function isFailed(seen: Observation, pod: PodSeen): boolean {
  if (isOutdated(seen, pod) || pod.isReady) return false;
  return pod.stuckReason !== undefined || seen.nowMs - pod.readyChangedMs >= ROLLOUT_STUCK_MS;
}

function stuckText({ name, stuckReason }: PodSeen): string {
  const reason = stuckReason === undefined ? 'it runs and is not ready' : stuckReason;
  return `${name} does not come back with the new spec (${reason}), and the others keep the old one: correct the spec, or apply the former one again`;
}

/** A no of the store would stand for ever where every quorum needs everybody. */
function gateOf(topology: TopologySeen, pod: PodSeen): StopGate {
  if (memberNamed(topology, pod.name) === undefined) return 'none';
  const isTooSmall = Math.min(topology.replicationFactor, topology.members.length) < 3;
  return isTooSmall ? 'pause' : 'can-stop';
}
