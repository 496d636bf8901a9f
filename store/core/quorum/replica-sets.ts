import type { MemberId } from '../raft/types.ts';
import type { Epoch } from '../topology/types.ts';

/**
 * The replica sets of a partition as one committed topology says (docs/moves.md): one set, or while it moves
 * F (`from`), T (`to`) and the stage. The caller lists each set in the order in which it prefers to ask.
 */
export type ReplicaSets =
  | { readonly type: 'still'; readonly set: readonly MemberId[] }
  | {
      readonly type: 'joint' | 'transfer' | 'switch';
      readonly from: readonly MemberId[];
      readonly to: readonly MemberId[];
    };

/** What a decision is taken under: answers of another partition epoch never count in it. */
export type PartitionView = { readonly epoch: Epoch; readonly sets: ReplicaSets };

/** The set of which R are asked: F until reads have switched. */
export function askedSet(sets: ReplicaSets): readonly MemberId[] {
  switch (sets.type) {
    case 'still':
      return sets.set;
    case 'joint':
    case 'transfer':
      return sets.from;
    case 'switch':
      return sets.to;
  }
}

/** The sets in each of which W must hold a version before it is acknowledged, or answered to a reader. */
export function holdingSets(sets: ReplicaSets): readonly (readonly MemberId[])[] {
  switch (sets.type) {
    case 'still':
      return [sets.set];
    case 'joint':
      return [sets.from];
    case 'transfer':
    case 'switch':
      return [sets.from, sets.to];
  }
}

/** Every member that a write is sent to. */
export function writtenMembers(sets: ReplicaSets): readonly MemberId[] {
  return sets.type === 'still' ? sets.set : [...new Set([...sets.from, ...sets.to])];
}

/**
 * Whether "nothing up to m" of `member` beats a version. A member that enters T takes over a watermark with an empty
 * partition: until the switch it may lack what lives below, and its word would hide a settled record.
 */
export function isComplete(sets: ReplicaSets, member: MemberId): boolean {
  switch (sets.type) {
    case 'still':
      return sets.set.includes(member);
    case 'joint':
    case 'transfer':
      return sets.from.includes(member);
    case 'switch':
      return sets.to.includes(member) || sets.from.includes(member);
  }
}
