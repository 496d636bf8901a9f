import type { MemberId } from '../raft/types.ts';
import type { MoveAt, TopologyState } from '../topology/types.ts';
import { ableMembers, type PlanFacts } from './plan-moves.ts';

export type MoveToCancel = { readonly at: MoveAt; readonly reason: string };

/**
 * The moves that lead where nothing should be any more, as long as there is a way back: to a member that is gone or was replaced, which
 * would hold them up for ever, or to one that is being drained. The latter not where too few others could take its place.
 */
export function cancelsOf(state: TopologyState, facts: Pick<PlanFacts, 'isGone'>): readonly MoveToCancel[] {
  const canGoElsewhere = ableMembers(state, facts).length >= state.settings.replicationFactor;
  return state.partitions.flatMap(({ epoch, move }, partition): MoveToCancel[] => {
    if (move === undefined || move.stage === 'switch') return [];
    const problem = move.to
      .map((member) => problemOf(state, facts, member, canGoElsewhere))
      .find((one) => one !== undefined);
    return problem === undefined
      ? []
      : [{ at: { partition, session: move.session, epoch }, reason: problem }];
  });
}

function problemOf(
  { members }: TopologyState,
  { isGone }: Pick<PlanFacts, 'isGone'>,
  number: MemberId,
  canGoElsewhere: boolean,
): string | undefined {
  const member = members.get(number);
  if (member === undefined) return `member ${number}, to which it moves, was replaced`;
  if (isGone(number)) return `${member.name}, to which it moves, is gone`;
  return member.isDraining && canGoElsewhere
    ? `${member.name}, to which it moves, is being drained`
    : undefined;
}
