import { majority } from '../quorum/quorum-sizes.ts';
import type { MemberId } from '../raft/types.ts';
import type { MoveStage, Partition, TopologyState } from '../topology/types.ts';
import { type MoveFacts, nextStep } from './next-step.ts';
import { ableMembers, differingPartitions, isStartable, liveReplicas, planTarget } from './plan-moves.ts';
import { enteringOf, isOwner } from './rules.ts';

/**
 * What is being done with the data, and why. Nothing of it is kept: it follows from the topology, so that there is no operation which
 * the moves know nothing of, and none goes on that nobody wants any more.
 */
export type Operation = {
  /** The same for as long as it lasts: `drain-kvorum-3`. */
  readonly id: string;
  readonly type: OperationType;
  /** Whose data is moved away; none of a rebalance. */
  readonly member: MemberId | undefined;
  /** Those that are not yet where they should be, with those that move. */
  readonly partitionsLeft: number;
  readonly partitionsMoving: number;
  /** Of those that move. */
  readonly stages: Readonly<Record<MoveStage, number>>;
  /** What most of those that wait wait for, in words: members that are down before all else. */
  readonly blockedBy: string | undefined;
};

/** `replace`: of a member that is gone for good, or whose number was retired. */
export type OperationType = 'drain' | 'replace' | 'rebalance';

export function operationsOf(state: TopologyState, facts: MoveFacts): readonly Operation[] {
  const target = planTarget(state, facts);
  const differing = target === undefined ? [] : differingPartitions(state, target);
  const isTooFew = ableMembers(state, facts).length < state.settings.replicationFactor;
  const to = new Map(differing.map((one) => [one.number, one.to]));
  const context: Context = { state, facts, isTooFew, to };
  const leaving = leavingMembers(state, facts);
  const ofMembers = leaving.map(({ type, member }) => {
    const left = numbersOf(state, (partition) => isOwner(partition, member));
    return operationOf(context, { id: `${type}-${facts.nameOf(member)}`, type, member, left });
  });
  const isOther = ({ replicas }: Partition): boolean =>
    !leaving.some(({ member }) => replicas.includes(member));
  const others = numbersOf(
    state,
    (partition, number) => isOther(partition) && (partition.move !== undefined || context.to.has(number)),
  );
  if (others.length === 0) return ofMembers;
  const rebalance = { id: 'rebalance', type: 'rebalance', member: undefined, left: others } as const;
  return [...ofMembers, operationOf(context, rebalance)];
}

type Context = {
  readonly state: TopologyState;
  readonly facts: MoveFacts;
  /** No set can change: those that could hold data are fewer than a set has. */
  readonly isTooFew: boolean;
  /** The sets of those that do not move yet and should. */
  readonly to: ReadonlyMap<number, readonly MemberId[]>;
};
type Wanted = Pick<Operation, 'id' | 'type' | 'member'> & { readonly left: readonly number[] };

/** Those that data is moved away from: marked as draining, also when nothing is left, or lost and still in a set. */
function leavingMembers(
  state: TopologyState,
  { isGone }: MoveFacts,
): readonly { readonly type: 'drain' | 'replace'; readonly member: MemberId }[] {
  const draining = [...state.members.values()]
    .filter(({ isDraining }) => isDraining)
    .map(({ number }) => number);
  const owners = new Set(
    state.partitions.flatMap(({ replicas, move }) => [...replicas, ...(move?.to ?? [])]),
  );
  const lost = [...owners].filter(
    (member) => !draining.includes(member) && (!state.members.has(member) || isGone(member)),
  );
  const byNumber = (a: MemberId, b: MemberId): number => a - b;
  return [
    ...draining.toSorted(byNumber).map((member) => ({ type: 'drain', member }) as const),
    ...lost.toSorted(byNumber).map((member) => ({ type: 'replace', member }) as const),
  ];
}

function numbersOf(
  { partitions }: TopologyState,
  isMeant: (partition: Partition, number: number) => boolean,
): readonly number[] {
  return partitions.flatMap((partition, number) => (isMeant(partition, number) ? [number] : []));
}

function operationOf(context: Context, { id, type, member, left }: Wanted): Operation {
  const stages = { joint: 0, transfer: 0, switch: 0 };
  for (const number of left) {
    const stage = context.state.partitions[number]?.move?.stage;
    if (stage !== undefined) stages[stage] += 1;
  }
  const partitionsMoving = stages.joint + stages.transfer + stages.switch;
  const counts = { partitionsLeft: left.length, partitionsMoving, stages };
  return { id, type, member, ...counts, blockedBy: blockedBy(context, left) };
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
  const to = wanted.get(number);
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
