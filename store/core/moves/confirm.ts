import type { MemberId } from '../raft/types.ts';
import type { ApplyOutcome, CommandOf } from '../topology/command.ts';
import type { MoveAt, TopologyState } from '../topology/types.ts';
import { applyMoveSteps, HELD, type Judged, judgedBad, type MoveStep, withMove } from './batch.ts';
import { withMembers } from './rules.ts';

/**
 * A member of F confirms the epoch of stage 2 or 3: it serves nothing older any more, and what it accepted under an older
 * epoch is durable or refused. The epoch in the step is the one that it means: confirmations of two never add up.
 */
export function applyMoveConfirm(state: TopologyState, command: CommandOf<'move-confirm'>): ApplyOutcome {
  return applyMoveSteps(state, command.moves, (step) => judgeConfirm(step, command.member));
}

function judgeConfirm({ partition, move, name }: MoveStep<MoveAt>, member: MemberId): Judged {
  if (!partition.replicas.includes(member)) {
    return judgedBad(
      'BAD_MOVE',
      `Member ${member} has nothing to confirm in ${name}: only members of F confirm.`,
    );
  }
  switch (move.stage) {
    case 'joint':
      return judgedBad('BAD_MOVE', `${name} is in the stage joint, of which nothing is confirmed.`);
    case 'transfer':
    case 'switch':
      if (move.confirmed.includes(member)) return HELD;
      return withMove(partition, { ...move, confirmed: withMembers(move.confirmed, [member]) });
  }
}
