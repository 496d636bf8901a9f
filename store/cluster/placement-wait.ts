import type { MemberId } from '../core/raft/types.ts';
import { mayReceive } from '../core/topology/shares.ts';
import type { Member, TopologyState } from '../core/topology/types.ts';

export type PlacementWaitOptions = {
  /** Members that must be up before the first placement, where that is more than the replication factor. */
  readonly initialMembers: number;
};

/** What the first placement has, and what it waits for: it is due once `up` are at least `needed`. */
export type PlacementWait = { readonly needed: number; readonly up: readonly Member[] };

/**
 * Who could own data now. A member counts that has started under its number (the topology says so) and that gossip does
 * not take for dead, and that is not being drained: a set with a member that is gone would have lost a replica before its first write.
 */
export function placementWait(
  state: TopologyState,
  { initialMembers }: PlacementWaitOptions,
  isUp: (member: MemberId) => boolean,
): PlacementWait {
  const up = [...state.members.values()].filter((member) => mayReceive(member) && isUp(member.number));
  return { needed: Math.max(state.settings.replicationFactor, initialMembers), up };
}

/** "waiting for 3 members to be up; 2 are: kvorum-1, kvorum-2" */
export function placementWaitText({ needed, up }: PlacementWait): string {
  if (up.length >= needed) return `the ${up.length} members that are up are about to get the partitions`;
  const names = up.map(({ name }) => name).sort();
  const are = up.length === 1 ? '1 is' : `${up.length} are`;
  return `waiting for ${needed} members to be up; ${up.length === 0 ? 'none is' : `${are}: ${names.join(', ')}`}`;
}
