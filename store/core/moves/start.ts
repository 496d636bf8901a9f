import type { MemberId } from '../raft/types.ts';
import type { ApplyOutcome, CommandOf, MoveStart } from '../topology/command.ts';
import { isReplaced } from '../topology/shares.ts';
import { type Partition, type TopologyState, toMoveSession } from '../topology/types.ts';
import { applySteps, changed, HELD, type Judged, judgedBad, type Step } from './batch.ts';
import { enteringOf } from './rules.ts';

/** Begins moves from what the partitions' sets are to others: stage 1, `joint`. */
export function applyMoveStart(state: TopologyState, command: CommandOf<'move-start'>): ApplyOutcome {
  return applySteps(state, command.moves, (step) => judgeStart(state, command.replicationFactor, step));
}

function judgeStart(
  state: TopologyState,
  replicationFactor: number,
  { item, partition, next, name }: Step<MoveStart>,
): Judged {
  if (partition.move !== undefined) {
    const advice = 'Finish that move or cancel it first.';
    return judgedBad('PARTITION_MOVING', `${name} moves to [${partition.move.to.join(', ')}]. ${advice}`);
  }
  if (isSameList(partition.replicas, item.to)) return HELD;
  const problem = findProblem(state, replicationFactor, partition, item.to);
  if (problem !== undefined) return judgedBad('BAD_PLACEMENT', `${name} cannot move: ${problem}`);
  const move = { session: toMoveSession(next), to: [...item.to], stage: 'joint', entered: [] } as const;
  return changed({ replicas: partition.replicas, epoch: next, move });
}

function findProblem(
  state: TopologyState,
  replicationFactor: number,
  { replicas }: Partition,
  to: readonly MemberId[],
): string | undefined {
  const shown = `the set [${to.join(', ')}]`;
  if (to.length !== replicationFactor)
    return `${shown} has ${to.length} members; ${replicationFactor} are asked for.`;
  if (new Set(to).size !== to.length) return `${shown} names a member twice.`;
  const stranger = to.find((member) => !state.members.has(member));
  if (stranger !== undefined) return `${shown} names ${stranger}, which is not a member.`;
  // It follows no log yet, so it could not even learn that it is to enter.
  const entering = enteringOf(replicas, to);
  const waiting = entering.find((member) => state.members.get(member)?.state !== 'up');
  if (waiting !== undefined)
    return `${shown} names member ${waiting}, which has not started yet. Start it first.`;
  const draining = entering.find((member) => state.members.get(member)?.isDraining);
  if (draining !== undefined)
    return `${shown} names member ${draining}, which is being drained and is given nothing new.`;
  const lost = entering.find((member) => isReplaced(state, member));
  return lost === undefined ? undefined : `${shown} names member ${lost}, which is being replaced.`;
}

function isSameList(a: readonly MemberId[], b: readonly MemberId[]): boolean {
  return a.length === b.length && a.every((member, index) => member === b[index]);
}
