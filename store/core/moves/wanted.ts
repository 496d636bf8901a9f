import type { MemberId } from '../raft/types.ts';
import { isReplaced } from '../topology/shares.ts';
import type { Partition, TopologyState } from '../topology/types.ts';

/**
 * Whether an operation asks for the partition to move as things are. Of a number that was retired none does at first: who takes over its name
 * is about to start, and copies that are made before that would be made on others, only to be moved again.
 */
export function isWanted(state: TopologyState, { replicas }: Partition): boolean {
  return movesAll(state) || replicas.some((member) => isAskedToLeave(state, member));
}

function isAskedToLeave({ members, operations }: TopologyState, member: MemberId): boolean {
  if (members.get(member)?.isDraining === true) return true;
  return operations.some(
    ({ state, want }) => state === 'running' && want.type === 'replace' && want.member === member,
  );
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
