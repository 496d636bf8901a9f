import { majority } from '../quorum/quorum-sizes.ts';
import type { ReplicaSets } from '../quorum/replica-sets.ts';
import type { MemberId } from '../raft/types.ts';
import type { MoveIn, Partition } from '../topology/types.ts';

/** The sets and the numbers of a move (docs/moves.md). Every number is that of the set spoken of: F and T may differ in size. */

/** The replica sets of a partition, as quorums are taken in them. */
export function replicaSetsOf({ replicas, move }: Partition): ReplicaSets {
  if (move === undefined) return { type: 'still', set: replicas };
  return { type: move.stage, from: replicas, to: move.to };
}

/** The sets without a majority of which data would be lost, or stuck, for good: T counts once there is no way back to F. */
export function setsAtStake({ replicas, move }: Partition): readonly (readonly MemberId[])[] {
  return move?.stage === 'switch' ? [replicas, move.to] : [replicas];
}

/** Whether `member` holds the partition, or is to: all others delete what they have, and refuse its requests. */
export function isOwner({ replicas, move }: Partition, member: MemberId): boolean {
  return replicas.includes(member) || (move?.to.includes(member) ?? false);
}

/** T\F, the members that begin empty. */
export function enteringOf(from: readonly MemberId[], to: readonly MemberId[]): readonly MemberId[] {
  return to.filter((member) => !from.includes(member));
}

/**
 * |Q|, N - W + 1 of F: every W-set that acknowledged something earlier has a member among so many, and those that are not
 * are too few to acknowledge anything under an older epoch.
 */
export function sourcesNeeded(from: readonly MemberId[]): number {
  return from.length - majority(from.length) + 1;
}

/** N - R + 1 of F: so many refuse a reader of F under an older epoch that it finds no R. */
export function confirmationsNeeded(from: readonly MemberId[]): number {
  return from.length - majority(from.length) + 1;
}

/** Which members of T have yet to synchronise with `source`. A source is the same as itself. */
export function unsyncedWith(move: MoveIn<'transfer'>, source: MemberId): readonly MemberId[] {
  return move.to.filter((member) => member !== source && !syncedSourcesOf(move, member).includes(source));
}

export function syncedSourcesOf(move: MoveIn<'transfer'>, member: MemberId): readonly MemberId[] {
  return move.synced.find((one) => one.member === member)?.sources ?? [];
}

/** A list of members as the state keeps them: sorted, each once, so that equal states have equal bytes. */
export function withMembers(some: readonly MemberId[], more: readonly MemberId[]): readonly MemberId[] {
  return [...new Set([...some, ...more])].sort((a, b) => a - b);
}

export function hasAll(members: readonly MemberId[], wanted: readonly MemberId[]): boolean {
  return wanted.every((member) => members.includes(member));
}

/** Whatever the order of either; no list names a member twice. */
export function isSameSet(a: readonly MemberId[], b: readonly MemberId[]): boolean {
  return a.length === b.length && hasAll(a, b);
}
