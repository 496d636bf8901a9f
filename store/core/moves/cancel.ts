import type { ApplyOutcome, CommandOf } from '../topology/command.ts';
import type { TopologyState } from '../topology/types.ts';
import { applyMoveSteps, changed, judgedBad } from './batch.ts';

/**
 * Back to F, which held everything that was acknowledged or answered so far. Not once reads have switched: a reader of T
 * that is behind would miss what is then written to F alone. The epoch rises, so that nothing of the session counts any more.
 */
export function applyMoveCancel(state: TopologyState, command: CommandOf<'move-cancel'>): ApplyOutcome {
  return applyMoveSteps(state, command.moves, ({ partition, move, next, name }) => {
    if (move.stage !== 'switch') return changed({ replicas: partition.replicas, epoch: next });
    const advice = 'Let it finish, then move it back.';
    return judgedBad('MOVE_SWITCHED', `${name} is read from [${move.to.join(', ')}] already. ${advice}`);
  });
}
