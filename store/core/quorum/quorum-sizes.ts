/** How many of a set must answer: one, a majority, or all. Only majorities (or more) make a key linearizable (docs/consistency.md). */
export type Level = 1 | 'quorum' | 'all';

/** More than half, so that any two quorums of a set meet, R + W > N, also in sets of an even size. */
export function majority(members: number): number {
  return Math.floor(members / 2) + 1;
}

/** Answers needed at `level` in a set of `members`, which is judged by its own size: 1 has W = R = 1. */
export function needed(level: Level, members: number): number {
  if (members === 0)
    throw new RangeError('A quorum of an empty set was asked for: a replica set has at least one member.');
  switch (level) {
    case 1:
      return 1;
    case 'quorum':
      return majority(members);
    case 'all':
      return members;
  }
}

/** R and W of a set at the default quorums. */
export const readsNeeded = (members: number): number => needed('quorum', members);
export const writesNeeded = (members: number): number => needed('quorum', members);
