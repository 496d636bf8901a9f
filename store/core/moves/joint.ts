import type { MemberId } from '../raft/types.ts';
import type { ApplyOutcome, CommandOf } from '../topology/command.ts';
import type { MoveAt, MoveIn, TopologyState } from '../topology/types.ts';
import {
  applyStageSteps,
  changed,
  HELD,
  type Judged,
  judgedBad,
  judgeRetired,
  type MoveStep,
  withMove,
} from './batch.ts';
import { enteringOf, hasAll, withMembers } from './rules.ts';

/**
 * Stage 1: F acknowledges and answers, T is written to as well. It ends when every member that is new has entered: one that
 * had not could hold data of an earlier time in the set, whose tombstones were collected since, and would count in T's quorums.
 */
export function applyMoveEnter(state: TopologyState, command: CommandOf<'move-enter'>): ApplyOutcome {
  return applyStageSteps(state, 'joint', command.moves, (step) => judgeEnter(step, command.member));
}

export function applyMoveAdvance(state: TopologyState, command: CommandOf<'move-advance'>): ApplyOutcome {
  return applyStageSteps(state, 'joint', command.moves, (step) => judgeAdvance(state, step));
}

type JointStep = MoveStep<MoveAt, MoveIn<'joint'>>;

function judgeEnter({ partition, move, name }: JointStep, member: MemberId): Judged {
  if (!enteringOf(partition.replicas, move.to).includes(member)) {
    return judgedBad(
      'BAD_MOVE',
      `Member ${member} does not enter ${name}: only members of T that are not in F do.`,
    );
  }
  if (move.entered.includes(member)) return HELD;
  return withMove(partition, { ...move, entered: withMembers(move.entered, [member]) });
}

/** From here on T's quorums count, and a member that was replaced could never be one of them again. */
function judgeAdvance(state: TopologyState, { partition, move, next, name }: JointStep): Judged {
  const { session, to, entered } = move;
  const retired = judgeRetired(state, move, name);
  if (retired !== undefined) return retired;
  const entering = enteringOf(partition.replicas, to);
  if (!hasAll(entered, entering)) {
    const missing = entering.filter((member) => !entered.includes(member)).join(', ');
    return judgedBad('MOVE_NOT_READY', `${name} waits for members to enter: ${missing}.`);
  }
  const stage = { stage: 'transfer', confirmed: [], sources: [], synced: [] } as const;
  return changed({ ...partition, epoch: next, move: { session, to, ...stage } });
}
