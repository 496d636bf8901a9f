import type { ClaimSeen, MemberSeen, NodeSeen, Observation, PodSeen, TopologySeen } from '../observation.ts';

/** Names and ordinals: pod NAME-i is node NAME-i and mounts data-NAME-i. */

export function podName({ cluster }: Observation, ordinal: number): string {
  return `${cluster.name}-${ordinal}`;
}

/** Undefined of a name that is none of this cluster's pods. */
export function ordinalOf({ cluster }: Observation, name: string): number | undefined {
  const prefix = `${cluster.name}-`;
  if (!name.startsWith(prefix)) return undefined;
  const text = name.slice(prefix.length);
  return /^(0|[1-9][0-9]{0,5})$/.test(text) ? Number(text) : undefined;
}

export function podAt({ pods }: Observation, ordinal: number): PodSeen | undefined {
  return pods.find((pod) => pod.ordinal === ordinal);
}

export function claimAt({ claims }: Observation, ordinal: number): ClaimSeen | undefined {
  return claims.find((claim) => claim.ordinal === ordinal);
}

export function isOurs({ cluster }: Observation, { clusterUid }: ClaimSeen): boolean {
  return clusterUid === cluster.uid;
}

export function nodeNamed({ store }: Observation, name: string): NodeSeen | undefined {
  return store.nodes.find((node) => node.name === name);
}

export function memberNamed({ members }: TopologySeen, name: string): MemberSeen | undefined {
  return members.find((member) => member.name === name);
}

/** Members that are pods of this cluster, with their ordinals; members that somebody joined from elsewhere are not the operator's. */
export function podMembers(
  seen: Observation,
  topology: TopologySeen,
): readonly { readonly ordinal: number; readonly member: MemberSeen }[] {
  return topology.members.flatMap((member) => {
    const ordinal = ordinalOf(seen, member.name);
    return ordinal === undefined ? [] : [{ ordinal, member }];
  });
}

/**
 * How many pods there have to be: as many as are wanted, and as many as are members, since only a pod can give away what it
 * holds. So whatever was lost sight of half way comes back, and leaves in order.
 */
export function neededReplicas(seen: Observation, topology: TopologySeen): number {
  const ordinals = podMembers(seen, topology).map(({ ordinal }) => ordinal);
  return Math.max(seen.cluster.wish.replicas, ...ordinals.map((ordinal) => ordinal + 1));
}

/** The same where nobody leads, by what one of the nodes has heard. */
export function heardReplicas(seen: Observation): number {
  const ordinals = seen.store.heard.flatMap((name) => ordinalOf(seen, name) ?? []);
  return Math.max(seen.cluster.wish.replicas, ...ordinals.map((ordinal) => ordinal + 1));
}

export function ordinalsTo(count: number): readonly number[] {
  return Array.from({ length: Math.max(0, count) }, (_, ordinal) => ordinal);
}

/** A pod that is not made of what is wanted now, and comes to it by a restart alone. */
export function isOutdated(seen: Observation, { name, hash, isRestartNeeded }: PodSeen): boolean {
  if (hash === seen.wantedPodHash) return false;
  if (isRestartNeeded) return true;
  return nodeNamed(seen, name)?.settings?.type === 'fixed';
}

/** Names in words: `a, b and c`. */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
