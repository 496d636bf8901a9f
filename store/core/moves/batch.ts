import type { ApplyOutcome, TopologyRefusalCode } from '../topology/command.ts';
import { applied, refused, unchanged } from '../topology/outcome.ts';
import {
  type Epoch,
  type Move,
  type MoveAt,
  type MoveIn,
  type MoveStage,
  type Partition,
  type TopologyState,
  toEpoch,
} from '../topology/types.ts';

/** What one step comes to for one partition. `held`: it is so already. */
export type Judged =
  | { readonly type: 'changed'; readonly partition: Partition }
  | { readonly type: 'held' }
  | { readonly type: 'refused'; readonly code: TopologyRefusalCode; readonly message: string };

export type Step<I> = {
  readonly item: I;
  readonly partition: Partition;
  /** Of the change, should there be one. */
  readonly next: Epoch;
  /** For messages. */
  readonly name: string;
};
export type MoveStep<I, M extends Move = Move> = Step<I> & { readonly move: M };

type Item = { readonly partition: number; readonly epoch: Epoch };

export const HELD: Judged = { type: 'held' };

export function changed(partition: Partition): Judged {
  return { type: 'changed', partition };
}

export function judgedBad(code: TopologyRefusalCode, message: string): Judged {
  return { type: 'refused', code, message };
}

/** What is confirmed leaves the partition at its epoch. */
export function withMove(partition: Partition, move: Move): Judged {
  return changed({ ...partition, move });
}

/**
 * Takes one step for each partition whose epoch is the expected one. Those that fit are changed, whatever becomes of the
 * others: the confirmations of a hundred partitions must not wait for one that was cancelled meanwhile. Where none
 * changes, the first refusal is the answer.
 */
export function applySteps<I extends Item>(
  state: TopologyState,
  items: readonly I[],
  judge: (step: Step<I>) => Judged,
): ApplyOutcome {
  if (new Set(items.map(({ partition }) => partition)).size !== items.length) {
    const advice = 'Name each partition once.';
    return refused(state, 'BAD_MOVE', `A step of moves names a partition twice. ${advice}`);
  }
  const next = toEpoch(state.epoch + 1);
  const judged = items.map((item) => judgeItem(state, item, (step) => judge({ ...step, next })));
  const changes = judged.flatMap((one, index): [number, Partition][] =>
    one.type === 'changed' ? [[(items[index] as I).partition, one.partition]] : [],
  );
  if (changes.length > 0) return applied(state, { partitions: replaced(state, changes) }, changes.length);
  const refusal = judged.find((one) => one.type === 'refused');
  return refusal === undefined ? unchanged(state, 0) : refused(state, refusal.code, refusal.message);
}

/** As `applySteps`, for moves that are under way: of that session. */
export function applyMoveSteps<I extends MoveAt>(
  state: TopologyState,
  items: readonly I[],
  judge: (step: MoveStep<I>) => Judged,
): ApplyOutcome {
  return applySteps(state, items, (step) => {
    const { move } = step.partition;
    if (move?.session === step.item.session) return judge({ ...step, move });
    const now = move === undefined ? 'does not move' : `moves in session ${move.session}`;
    return judgedBad(
      'EPOCH_CHANGED',
      `${step.name} ${now}; the step is of session ${step.item.session}. Read the topology and drop the step.`,
    );
  });
}

/** As `applyMoveSteps`, for a step that only one stage knows. */
export function applyStageSteps<I extends MoveAt, S extends MoveStage>(
  state: TopologyState,
  stage: S,
  items: readonly I[],
  judge: (step: MoveStep<I, MoveIn<S>>) => Judged,
): ApplyOutcome {
  return applyMoveSteps(state, items, (step) => {
    if (isIn(step.move, stage)) return judge({ ...step, move: step.move });
    return judgedBad(
      'MOVE_NOT_READY',
      `${step.name} is in the stage ${step.move.stage}; this is a step of ${stage}. Take the steps of its own stage.`,
    );
  });
}

function isIn<S extends MoveStage>(move: Move, stage: S): move is MoveIn<S> {
  return move.stage === stage;
}

function judgeItem<I extends Item>(
  state: TopologyState,
  item: I,
  judge: (step: Omit<Step<I>, 'next'>) => Judged,
): Judged {
  const name = `Partition ${item.partition}`;
  const partition = state.partitions[item.partition];
  if (partition === undefined) {
    return judgedBad('BAD_MOVE', `${name} is not there: ${state.partitions.length} are placed.`);
  }
  if (partition.epoch === item.epoch) return judge({ item, partition, name });
  const advice = 'Read the topology and plan again.';
  return judgedBad(
    'EPOCH_CHANGED',
    `${name} is at epoch ${partition.epoch}; the step expects ${item.epoch}. ${advice}`,
  );
}

function replaced(
  state: TopologyState,
  changes: readonly (readonly [number, Partition])[],
): readonly Partition[] {
  const partitions = [...state.partitions];
  for (const [number, partition] of changes) partitions[number] = partition;
  return partitions;
}

/** T's quorums count, or will for good, and a member that was replaced could never be one of them again. */
export function judgeRetired({ members }: TopologyState, { to }: Move, name: string): Judged | undefined {
  const retired = to.find((member) => !members.has(member));
  if (retired === undefined) return undefined;
  const advice = 'Cancel it and plan again.';
  return judgedBad('MOVE_NOT_READY', `${name} moves to ${retired}, which is no member any more. ${advice}`);
}
