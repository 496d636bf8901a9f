import type { MemberSeen, Observation, PodSeen, TopologySeen } from '../observation.ts';
import { act, type Finding, refuse, wait } from './finding.ts';
import { claimAt, isOurs, memberNamed, nodeNamed, ordinalsTo, podAt, podName } from './ordinals.ts';

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

/**
 * The same before there is a store: whoever does not answer has lost a volume that was made for it, and all others have said that there is nothing on
 * theirs. A volume that an earlier KVCluster left may be the only one with its data, and its node may come back.
 */
export function lostBeforeStart(seen: Observation): readonly Finding[] {
  const silent = ordinalsTo(seen.cluster.wish.replicas).filter(
    (ordinal) => nodeNamed(seen, podName(seen, ordinal)) === undefined,
  );
  if (!silent.every((ordinal) => isVolumeLost(seen, ordinal))) return [];
  return silent.flatMap((ordinal) => {
    const pod = podAt(seen, ordinal);
    if (pod === undefined) return [];
    return claimAt(seen, ordinal)?.isInherited === false ? lost(seen, pod, undefined) : [inherited(pod)];
  });
}

function inherited(pod: PodSeen): Finding {
  const what = `the volume of ${pod.name} is lost, and an earlier KVCluster of this name left it, maybe with data that nobody else has`;
  return refuse('heal', 'VolumeLost', `${what}: ${waysOut(pod)}`);
}

/** The leader does not know it, and it knows that it was taken out: what it holds has been given away. */
function excluded(seen: Observation, pod: PodSeen): readonly Finding[] {
  const node = nodeNamed(seen, pod.name);
  if (node?.state !== 'excluded' || node.clusterId !== seen.cluster.clusterId) return [];
  return replace(seen, pod, `${pod.name} was taken out of the cluster: it joins again with an empty volume`);
}

/** It is gone, or it is about to be, and no node takes a pod whose volume is being deleted, although the one with the volume came back. */
export function isVolumeLost(seen: Observation, ordinal: number): boolean {
  const pod = podAt(seen, ordinal);
  const claim = claimAt(seen, ordinal);
  if (pod === undefined || claim === undefined || pod.isRunning || !isOurs(seen, claim)) return false;
  return claim.isLost || (claim.isTerminating && pod.node === undefined);
}

function lost(seen: Observation, pod: PodSeen, member: MemberSeen | undefined): readonly Finding[] {
  const { mode, afterMs } = seen.cluster.wish.replace;
  const what = `the volume of ${pod.name} is lost`;
  if (mode === 'Manual') {
    const message = `${what}, and spec.replacePolicy.mode is Manual: ${waysOut(pod)}`;
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

function waysOut({ name, claimName }: PodSeen): string {
  return `give it back, or replace it with kubectl delete pvc ${claimName} --wait=false && kubectl delete pod ${name}`;
}

function riskText(what: string, { name }: PodSeen): string {
  return `${what}, and without it some partitions have no majority: bring other members back first; nothing of ${name} is deleted before`;
}

/** A claim that is terminating waits for its pod only. */
function replace(seen: Observation, pod: PodSeen, message: string): readonly Finding[] {
  const claim = claimAt(seen, pod.ordinal);
  if (claim === undefined || !isOurs(seen, claim) || pod.isTerminating) return [];
  const { name, uid, version } = pod;
  const names = { claim: claim.name, claimUid: claim.uid, pod: name, podUid: uid, podVersion: version };
  return [act('heal', message, { type: 'replace-volume', ...names })];
}
