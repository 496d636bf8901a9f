import type { MemberSeen, Observation, PodSeen, TopologySeen } from '../observation.ts';
import { act, type Finding, refuse, wait } from './finding.ts';
import { claimAt, isOurs, memberNamed, nodeNamed, ordinalsTo, podAt } from './ordinals.ts';

/**
 * Pods that cannot go on with the volume that they have: it is gone with its node, or what it holds is that of a member that left. They get an
 * empty one, and join again under a new number; the store makes their data anew from the others. Never where these would lack a majority.
 */
export function lostVolumes(seen: Observation, topology: TopologySeen): readonly Finding[] {
  return ordinalsTo(seen.cluster.wish.replicas).flatMap((ordinal) => {
    const pod = podAt(seen, ordinal);
    if (pod === undefined) return [];
    const member = memberNamed(topology, pod.name);
    if (isVolumeLost(seen, ordinal) && member?.isUp !== true) return lost(seen, pod, member);
    return member === undefined ? excluded(seen, pod) : [];
  });
}

/** The leader does not know it, and it knows that it was taken out: what it holds has been given away. */
function excluded(seen: Observation, pod: PodSeen): readonly Finding[] {
  const node = nodeNamed(seen, pod.name);
  if (node?.state !== 'excluded' || node.clusterId !== seen.cluster.clusterId) return [];
  return replace(seen, pod, `${pod.name} was taken out of the cluster: it joins again with an empty volume`);
}

export function isVolumeLost(seen: Observation, ordinal: number): boolean {
  const pod = podAt(seen, ordinal);
  const claim = claimAt(seen, ordinal);
  return pod !== undefined && !pod.isRunning && claim?.isLost === true && isOurs(seen, claim);
}

function lost(seen: Observation, pod: PodSeen, member: MemberSeen | undefined): readonly Finding[] {
  const { mode, afterMs } = seen.cluster.wish.replace;
  const what = `the volume of ${pod.name} is lost`;
  if (mode === 'Manual') {
    const command = `kubectl delete pvc ${pod.claimName} --wait=false && kubectl delete pod ${pod.name}`;
    const message = `${what}, and spec.replacePolicy.mode is Manual: give it back, or replace it with ${command}`;
    return [refuse('heal', 'VolumeLost', message)];
  }
  const leftMs = (pod.unschedulableSinceMs ?? pod.readyChangedMs) + afterMs - seen.nowMs;
  if (leftMs > 0) {
    const message = `${what}: it gets an empty one in ${Math.ceil(leftMs / 1000)} s (spec.replacePolicy.afterSeconds)`;
    return [wait('heal', 'VolumeLost', message, Math.min(leftMs, 30_000))];
  }
  if (member?.isExpendable === false) return [refuse('heal', 'DataAtRisk', riskText(what, pod))];
  return replace(seen, pod, `${what}: it gets an empty one, and its data from the others`);
}

function riskText(what: string, { name }: PodSeen): string {
  return `${what}, and without it some partitions have no majority: bring other members back first; nothing of ${name} is deleted before`;
}

/** A claim that is terminating waits for its pod only. */
function replace(seen: Observation, pod: PodSeen, message: string): readonly Finding[] {
  const claim = claimAt(seen, pod.ordinal);
  if (claim === undefined || !isOurs(seen, claim) || pod.isTerminating) return [];
  const names = { claim: claim.name, claimUid: claim.uid, pod: pod.name, podUid: pod.uid };
  return [act('heal', message, { type: 'replace-volume', ...names })];
}
