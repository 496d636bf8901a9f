import type { ClaimSeen, Observation, TopologySeen } from '../observation.ts';
import { act, type Finding, wait } from './finding.ts';
import { claimAt, isOurs, memberNamed, neededReplicas, podAt, podName } from './ordinals.ts';

/**
 * Volumes of members that left. A mark on the claim says so before its pod is let go; one that is marked is never started on again, since the
 * store lets no member in twice: it goes by the policy, or when its ordinal is needed again (elassandra-operator#17). Claims are chosen by name and
 * by the UID of the KVCluster, and what the leader says stands above every mark.
 */
export function claims(seen: Observation, topology: TopologySeen): readonly Finding[] {
  const ours = seen.claims.filter((claim) => isOurs(seen, claim) && !claim.isTerminating);
  return ours.flatMap((claim) => marks(seen, topology, claim).concat(ends(seen, topology, claim)));
}

function marks(seen: Observation, topology: TopologySeen, claim: ClaimSeen): readonly Finding[] {
  const { name: claimName, uid, ordinal, left } = claim;
  const name = podName(seen, ordinal);
  const isMember = memberNamed(topology, name) !== undefined;
  if (isMember && left !== undefined)
    return [mark(`${name} is a member again`, { claim: claimName, uid, left: undefined })];
  if (isMember || left !== undefined || ordinal < neededReplicas(seen, topology)) return [];
  const known = seen.cluster.knownMembers.find((member) => member.name === name);
  const number = known === undefined ? 'unknown' : String(known.number);
  return [mark(`${name} has left`, { claim: claimName, uid, left: number })];
}

function mark(message: string, what: { claim: string; uid: string; left: string | undefined }): Finding {
  return act('scale', message, { type: 'mark-claim', ...what });
}

function ends(seen: Observation, topology: TopologySeen, claim: ClaimSeen): readonly Finding[] {
  const why = whyToEnd(seen, topology, claim);
  if (why === undefined || memberNamed(topology, podName(seen, claim.ordinal)) !== undefined) return [];
  if (podAt(seen, claim.ordinal) !== undefined || claim.mountedBy.length > 0)
    return [wait('scale', 'VolumeMounted', `${claim.name} is deleted once no pod mounts it`)];
  const message =
    why === 'needed' ? 'holds what a member left behind, and is needed anew' : 'is not needed any more';
  const what = { type: 'delete-claim', claim: claim.name, uid: claim.uid, why } as const;
  return [act('scale', `${claim.name} ${message}`, what)];
}

function whyToEnd(seen: Observation, topology: TopologySeen, { ordinal, left }: ClaimSeen) {
  const { statefulSet, cluster } = seen;
  if (left === undefined || statefulSet === undefined || ordinal < statefulSet.replicas) return undefined;
  if (ordinal < neededReplicas(seen, topology)) return 'needed';
  return cluster.wish.whenScaled === 'Delete' ? 'scaled-down' : undefined;
}

/** Ordinals that cannot be started: their volume has to go first. */
export function isInTheWay(seen: Observation, ordinal: number): boolean {
  const claim = claimAt(seen, ordinal);
  if (claim === undefined) return false;
  const hasLeft = claim.left !== undefined && !seen.store.heard.includes(podName(seen, ordinal));
  return hasLeft || claim.isTerminating;
}
