import type { ApplyOutcome, CommandOf } from '../topology/command.ts';
import type { TopologyState } from '../topology/types.ts';
import { applyStageSteps, changed, judgedBad } from './batch.ts';
import { confirmationsNeeded } from './rules.ts';

/**
 * Stage 3: T is asked, both acknowledge. It ends when so many of F confirmed it that no reader of F is left: such a one would
 * miss what is written to T alone from then on. After it nothing is left of the move but the set T.
 */
export function applyMoveDone(state: TopologyState, command: CommandOf<'move-done'>): ApplyOutcome {
  return applyStageSteps(state, 'switch', command.moves, ({ partition, move, next, name }) => {
    const needed = confirmationsNeeded(partition.replicas);
    if (move.confirmed.length >= needed) return changed({ replicas: move.to, epoch: next });
    const has = `${move.confirmed.length} of ${needed} confirmations`;
    return judgedBad(
      'MOVE_NOT_READY',
      `${name} has ${has} by members of [${partition.replicas.join(', ')}].`,
    );
  });
}
