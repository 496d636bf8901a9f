import type { MemberId } from '../raft/types.ts';
import type { RequestedWant } from '../topology/command.ts';
import { receivers } from '../topology/shares.ts';
import type { Operation, TopologyState } from '../topology/types.ts';
import type { MoveFacts } from './next-step.ts';
import { differingPartitions, planTarget } from './plan-moves.ts';
import { isLeft, movesAll } from './wanted.ts';

/** What the leader may begin and end without being asked. */
export type AutomaticOptions = {
  /** `cluster.rebalance` */
  readonly rebalance: boolean;
  /** Nobody has come or gone for a while: what is planned now will not be another plan in a moment. */
  readonly isCalm: boolean;
  /** Down for longer than `cluster.replaceMemberAfterMs`. */
  isLost(member: MemberId): boolean;
};

/** Who asked, of what the cluster does by itself. */
export const AUTOMATIC = 'automatic';

/**
 * What to begin: a replacement of each member that is lost and holds data, of each retired number that is still in a set, and a rebalance
 * where the data should lie elsewhere, unless one was cancelled since others may hold data.
 */
export function operationsToStart(
  state: TopologyState,
  facts: MoveFacts,
  options: AutomaticOptions,
): readonly RequestedWant[] {
  const replaced = lostOwners(state, options).map((member) => ({ type: 'replace', member }) as const);
  return isRebalanceDue(state, facts, options) ? [...replaced, { type: 'rebalance' }] : replaced;
}

/** What was begun so and has no reason any more: the member is back, with its data. */
export function operationsToCancel(
  { operations, members }: TopologyState,
  { isUp }: Pick<MoveFacts, 'isUp'>,
): readonly Operation[] {
  return operations.filter(
    ({ state, by, want }) =>
      state === 'running' &&
      by === AUTOMATIC &&
      want.type === 'replace' &&
      members.has(want.member) &&
      isUp(want.member),
  );
}

/** Not where too few others could hold the data, those that are replaced with it left out: it would be refused. */
function lostOwners(state: TopologyState, { isCalm, isLost }: AutomaticOptions): readonly MemberId[] {
  const { members, partitions, settings } = state;
  const leaving = new Set(
    state.operations.flatMap(({ state: how, want }) =>
      how === 'running' && 'member' in want ? [want.member] : [],
    ),
  );
  const owners = new Set(partitions.flatMap(({ replicas, move }) => [...replicas, ...(move?.to ?? [])]));
  const able = new Set(receivers(state).map(({ number }) => number));
  return [...owners]
    .sort((a, b) => a - b)
    .filter((member) => {
      if (leaving.has(member)) return false;
      if (members.has(member) ? !isLost(member) : !isCalm) return false;
      const others = able.size - Number(able.has(member));
      if (others < settings.replicationFactor) return false;
      able.delete(member);
      return true;
    });
}

function isRebalanceDue(
  state: TopologyState,
  facts: MoveFacts,
  { rebalance, isCalm }: AutomaticOptions,
): boolean {
  if (!rebalance || !isCalm || movesAll(state) || state.operations.some(({ holdsBack }) => holdsBack))
    return false;
  const target = planTarget(state, facts);
  // A set that somebody leaves is moved for that, and is no reason for a rebalance.
  return (
    target !== undefined &&
    differingPartitions(state, target).some(({ partition }) => !isLeft(state, partition.replicas))
  );
}
