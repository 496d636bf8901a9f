import type { MemberId } from '../raft/types.ts';

/** What becomes of one partition; the first of a set is its primary. */
export type PlacementChange = {
  readonly partition: number;
  readonly before: readonly MemberId[];
  readonly after: readonly MemberId[];
  /** Members that receive the partition's data; empty where only the primary or the size of the set changes. */
  readonly added: readonly MemberId[];
  /** Members that give it up. */
  readonly removed: readonly MemberId[];
};

/** The partitions whose set or primary differs, in order. `before` may be empty: then all are new. */
export function placementDiff(
  before: readonly (readonly MemberId[])[],
  after: readonly (readonly MemberId[])[],
): PlacementChange[] {
  return after.flatMap((set, partition) => {
    const old = before[partition] ?? [];
    const added = set.filter((member) => !old.includes(member));
    const removed = old.filter((member) => !set.includes(member));
    const isSame = added.length === 0 && removed.length === 0 && old[0] === set[0];
    return isSame ? [] : [{ partition, before: old, after: set, added, removed }];
  });
}
