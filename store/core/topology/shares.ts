import type { MemberId } from '../raft/types.ts';
import type { Member, Operation, TopologyState } from './types.ts';

/** Whether data may be given to it. One that waits follows no log, and could not even learn of it. */
export function mayReceive({ state, isDraining }: Member): boolean {
  return state === 'up' && !isDraining;
}

/** Lost, as somebody said or the leader found: nobody waits for it any more. A number that was retired is lost as well. */
export function isReplaced({ members, operations }: TopologyState, member: MemberId): boolean {
  if (!members.has(member)) return true;
  return operations.some(
    ({ state, want }) => state === 'running' && want.type === 'replace' && want.member === member,
  );
}

/** Those that data may be given to: too few of them, and no set can change. `facts`: who is lost, where somebody sees more than the topology tells. */
export function receivers(
  state: TopologyState,
  facts: { isReplaced(member: MemberId): boolean } = { isReplaced: (member) => isReplaced(state, member) },
): readonly Member[] {
  const { members } = state;
  return [...members.values()].filter((member) => mayReceive(member) && !facts.isReplaced(member.number));
}

/** The operations of `after`. That a rebalance was cancelled counts no more once other members may hold data, or have another share or zone. */
export function heldBack(before: TopologyState, after: TopologyState): readonly Operation[] {
  const { operations } = after;
  if (!operations.some(({ holdsBack }) => holdsBack) || !haveSharesChanged(before, after)) return operations;
  return operations.map((operation) => ({ ...operation, holdsBack: false }));
}

function haveSharesChanged(before: TopologyState, after: TopologyState): boolean {
  return before.settings !== after.settings || sharesOf(before) !== sharesOf(after);
}

const sharesOf = (state: TopologyState): string =>
  receivers(state)
    .map(({ number, weight, zone }) => `${number} ${weight} ${zone}`)
    .join();
