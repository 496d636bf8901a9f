import type { MemberId } from '../raft/types.ts';
import { isReplaced } from '../topology/shares.ts';
import type { Partition, TopologyState } from '../topology/types.ts';

/** Whether the partition may be moved as things are: somebody leaves its set, or everything goes where it should be. */
export function isWanted(state: TopologyState, { replicas }: Partition): boolean {
  return movesAll(state) || isLeft(state, replicas);
}

/** Whether a member of the set is drained, replaced, or none any more. */
export function isLeft(state: TopologyState, set: readonly MemberId[]): boolean {
  return set.some((member) => isReplaced(state, member) || state.members.get(member)?.isDraining === true);
}

/** Whether an operation runs for which any partition may move. */
export function movesAll({ operations }: TopologyState): boolean {
  return operations.some(
    ({ state, want }) => state === 'running' && (want.type === 'rebalance' || want.type === 'factor'),
  );
}
