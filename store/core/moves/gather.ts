import type { Partition } from '../topology/types.ts';

/** What members confirm in this time is one command of theirs, and what it allows one step of the leader. */
const GATHER_MS = 60;
/** While so many partitions are still to be filled, none of those that are waits for much else than the disk and the network. */
const MANY_TO_FILL = 8;
const GATHER_MS_OF_MANY = 250;
/** Once none is to be filled the rest of the way is all waiting. */
const GATHER_MS_OF_NONE = 20;

/**
 * How long to gather what has been done before it is said: each change of the topology costs every member the same, however much it says.
 * `isFilled`: of a partition in the stage `joint`, whether it only remains to be said.
 */
export function gatherMs(
  partitions: readonly Partition[],
  isFilled: (partition: number, at: Partition) => boolean = () => false,
): number {
  let toFill = 0;
  for (const [number, partition] of partitions.entries())
    if (partition.move?.stage === 'joint' && !isFilled(number, partition)) toFill += 1;
  if (toFill === 0) return GATHER_MS_OF_NONE;
  return toFill >= MANY_TO_FILL ? GATHER_MS_OF_MANY : GATHER_MS;
}
