import type { MemberId } from '../raft/types.ts';
import { receivers } from '../topology/shares.ts';
import type { Move, MoveAt, TopologyState } from '../topology/types.ts';
import type { PlanFacts } from './plan-moves.ts';
import { isWanted } from './wanted.ts';

export type MoveToCancel = { readonly at: MoveAt; readonly reason: string };

/**
 * The moves that nobody wants any more, or that lead where nothing should be, as long as there is a way back: to a member that is gone or
 * was replaced, which would hold them up for ever, or to one that is being drained. The latter not where too few others could take its
 * place.
 */
export function cancelsOf(
  state: TopologyState,
  facts: Pick<PlanFacts, 'isReplaced'>,
): readonly MoveToCancel[] {
  const canGoElsewhere = receivers(state, facts).length >= state.settings.replicationFactor;
  return state.partitions.flatMap((partition, number): MoveToCancel[] => {
    const { epoch, move } = partition;
    if (move === undefined || move.stage === 'switch') return [];
    const problem = isWanted(state, partition)
      ? (sizeProblem(state, move) ??
        firstOf(move.to, (member) => problemOf(state, facts, member, canGoElsewhere)))
      : 'no operation asks for it any more';
    if (problem === undefined) return [];
    return [{ at: { partition: number, session: move.session, epoch }, reason: problem }];
  });
}

function firstOf<T>(all: readonly T[], problemOf: (one: T) => string | undefined): string | undefined {
  return all.map(problemOf).find((problem) => problem !== undefined);
}

function sizeProblem({ settings }: TopologyState, { to }: Move): string | undefined {
  const { replicationFactor } = settings;
  return to.length === replicationFactor
    ? undefined
    : `each partition shall have ${replicationFactor} replicas`;
}

function problemOf(
  { members }: TopologyState,
  { isReplaced }: Pick<PlanFacts, 'isReplaced'>,
  number: MemberId,
  canGoElsewhere: boolean,
): string | undefined {
  const member = members.get(number);
  if (member === undefined) return `member ${number}, to which it moves, was replaced`;
  if (isReplaced(number)) return `${member.name}, to which it moves, is gone`;
  return member.isDraining && canGoElsewhere
    ? `${member.name}, to which it moves, is being drained`
    : undefined;
}
