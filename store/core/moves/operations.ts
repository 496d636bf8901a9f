import { majority } from '../quorum/quorum-sizes.ts';
import type { MemberId } from '../raft/types.ts';
import { operationName } from '../topology/operations.ts';
import { receivers } from '../topology/shares.ts';
import type {
  Epoch,
  MoveStage,
  Operation,
  OperationType,
  Partition,
  TopologyState,
} from '../topology/types.ts';
import { type MoveFacts, nextStep } from './next-step.ts';
import { differingPartitions, isStartable, liveReplicas, planTarget } from './plan-moves.ts';
import { enteringOf, isOwner } from './rules.ts';
import { isWanted } from './wanted.ts';

/** An operation and how far it is, which follows from the topology: nothing of it is kept beside what was asked for. */
export type OperationStatus = Omit<Operation, 'id' | 'want' | 'holdsBack'> & {
  /** `drain-17`. */
  readonly name: string;
  readonly id: Epoch;
  readonly type: OperationType;
  /** Whose data is moved away; of a drain and a replacement. */
  readonly member: MemberId | undefined;
  /** That is aimed at; of a change of the factor. */
  readonly replicationFactor: number | undefined;
  /** Those that are not yet where they should be, with those that move. */
  readonly partitionsLeft: number;
  readonly partitionsMoving: number;
  /** Of those that move. */
  readonly stages: Readonly<Record<MoveStage, number>>;
  /** What most of those that wait wait for, in words: members that are down before all else. */
  readonly blockedBy: string | undefined;
};

/** All that the topology knows of, oldest first. */
export function operationsOf(state: TopologyState, facts: MoveFacts): readonly OperationStatus[] {
  const context = contextOf(state, facts);
  return state.operations.map((operation) => statusOf(context, operation));
}

/** Those that run and have nothing left to do. */
export function finishedOperations(state: TopologyState, facts: MoveFacts): readonly Operation[] {
  const context = contextOf(state, facts);
  return state.operations.filter(
    (operation) => operation.state === 'running' && isFinished(context, operation),
  );
}

/** The partitions that an operation would move if it began now. */
export function partitionsToMove(
  state: TopologyState,
  facts: MoveFacts,
  { want }: Pick<Operation, 'want'>,
): readonly number[] {
  return leftOf(contextOf(state, facts), want);
}

type Context = {
  readonly state: TopologyState;
  readonly facts: MoveFacts;
  /** No set can change: those that could hold data are fewer than a set has. */
  readonly isTooFew: boolean;
  /** The sets of those that do not move yet and should. */
  readonly to: ReadonlyMap<number, readonly MemberId[]>;
};

function contextOf(state: TopologyState, facts: MoveFacts): Context {
  const target = planTarget(state, facts);
  const differing = target === undefined ? [] : differingPartitions(state, target);
  const isTooFew = receivers(state, facts).length < state.settings.replicationFactor;
  return { state, facts, isTooFew, to: new Map(differing.map((one) => [one.number, one.to])) };
}

/** A rebalance waits for those that somebody else's leaving moves, and for a target to be there. */
function isFinished(context: Context, { want }: Operation): boolean {
  if (leftOf(context, want).length > 0) return false;
  return want.type === 'drain' || want.type === 'replace' || !context.isTooFew;
}

/** Of a drain and a replacement those that the member is in; of the others those that move, or should. */
function leftOf({ state, to }: Context, want: Operation['want']): readonly number[] {
  const isLeft =
    want.type === 'drain' || want.type === 'replace'
      ? (partition: Partition) => isOwner(partition, want.member)
      : (partition: Partition, number: number) => partition.move !== undefined || to.has(number);
  return state.partitions.flatMap((partition, number) => (isLeft(partition, number) ? [number] : []));
}

function statusOf(context: Context, operation: Operation): OperationStatus {
  const { want, holdsBack: _, ...kept } = operation;
  const left = operation.state === 'running' ? leftOf(context, want) : [];
  const stages = { joint: 0, transfer: 0, switch: 0 };
  for (const number of left) {
    const stage = context.state.partitions[number]?.move?.stage;
    if (stage !== undefined) stages[stage] += 1;
  }
  return {
    ...kept,
    name: operationName(operation),
    type: want.type,
    member: 'member' in want ? want.member : undefined,
    replicationFactor: want.type === 'factor' ? want.replicationFactor : undefined,
    partitionsLeft: left.length,
    partitionsMoving: stages.joint + stages.transfer + stages.switch,
    stages,
    blockedBy: blockedBy(context, left),
  };
}

type Wait = { readonly words: string; readonly isForDown: boolean };

function blockedBy(context: Context, left: readonly number[]): string | undefined {
  const waits = left.flatMap((number) => waitOf(context, number) ?? []);
  const counted = [...Map.groupBy(waits, ({ words }) => words)].map(([words, all]) => ({
    words,
    count: all.length,
    isForDown: all.some(({ isForDown }) => isForDown),
  }));
  const [first] = counted.toSorted((a, b) => Number(b.isForDown) - Number(a.isForDown) || b.count - a.count);
  if (first === undefined) return undefined;
  return `${first.count} ${first.count === 1 ? 'partition' : 'partitions'}: ${first.words}`;
}

/** Undefined where nothing but its turn, or the next step of the coordinator, is waited for. */
function waitOf({ state, facts, isTooFew, to: wanted }: Context, number: number): Wait | undefined {
  const partition = state.partitions[number];
  if (partition === undefined) return undefined;
  const step = nextStep(number, partition, facts);
  if (step !== undefined) {
    if (step.type !== 'wait') return undefined;
    return { words: step.blockedBy, isForDown: step.members.some((member) => !facts.isUp(member)) };
  }
  if (isTooFew) {
    const words = `fewer than ${state.settings.replicationFactor} other members are up`;
    return { words, isForDown: true };
  }
  const to = isWanted(state, partition) ? wanted.get(number) : undefined;
  if (to === undefined || isStartable(state, facts, partition, to)) return undefined;
  const { replicas } = partition;
  const up = liveReplicas(state, facts, replicas).length;
  const needed = majority(replicas.length);
  if (up < needed)
    return { words: `${up} of ${replicas.length} replicas are up; ${needed} are needed`, isForDown: true };
  const down = enteringOf(replicas, to).filter((member) => !facts.isUp(member));
  const names = down.map((member) => `${facts.nameOf(member)} (down)`).join(', ');
  return { words: `waiting for ${names} to come back`, isForDown: true };
}
