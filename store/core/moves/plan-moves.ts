import { majority } from '../quorum/quorum-sizes.ts';
import type { MemberId } from '../raft/types.ts';
import { planPlacement } from '../ring/placement.ts';
import type { MoveStart } from '../topology/command.ts';
import { receivers } from '../topology/shares.ts';
import type { Member, Partition, TopologyState } from '../topology/types.ts';
import type { MoveFacts } from './next-step.ts';
import { enteringOf, hasAll, isSameSet } from './rules.ts';
import { isLeft } from './wanted.ts';

/** What the leader sees of the members. */
export type PlanFacts = Pick<MoveFacts, 'isUp' | 'isReplaced'>;

export type PlanLimits = {
  /** Partitions that move at a time. */
  readonly movesMax: number;
  /** Partitions that one member enters at a time: it copies all of them. */
  readonly enteringPerMemberMax: number;
};

/**
 * Which moves to start now, on the way from the sets as they are to those that they should be. It remembers nothing: drained, lost and
 * new members are all one to it, and what is under way counts as done, so that a new leader, or a new wish, plans on from there.
 *
 * Never started: a move without a majority of F up, for it could not end; one that a member which is down must enter, for it would
 * take the place of one that can go on. `isWanted` may leave partitions out; they take no place of the limits either.
 */
export function planMoves(
  state: TopologyState,
  facts: PlanFacts,
  limits: PlanLimits,
  isWanted: (partition: Partition) => boolean = () => true,
): readonly MoveStart[] {
  const target = planTarget(state, facts);
  if (target === undefined) return [];
  const liveOf = ({ replicas }: Partition): number => liveReplicas(state, facts, replicas).length;
  // Somebody waits for those that are left; who is only to have less can wait.
  const isForBalance = ({ partition }: Differing): number => Number(!isLeft(state, partition.replicas));
  const due = differingPartitions(state, target)
    .filter(({ partition, to }) => isWanted(partition) && isStartable(state, facts, partition, to))
    .toSorted(
      (a, b) =>
        liveOf(a.partition) - liveOf(b.partition) || isForBalance(a) - isForBalance(b) || a.number - b.number,
    );
  const budget = new MoveBudget(state, limits);
  return due
    .filter(({ partition, to }) => budget.take(enteringOf(partition.replicas, to)))
    .map(({ number, partition, to }) => ({ partition: number, epoch: partition.epoch, to }));
}

/** The sets that there should be, or undefined where nothing is placed, or too few members could hold them: then what is stays. */
export function planTarget(
  state: TopologyState,
  facts: Pick<PlanFacts, 'isReplaced'>,
): readonly (readonly MemberId[])[] | undefined {
  const { settings, partitions } = state;
  const able = receivers(state, facts);
  if (partitions.length === 0 || able.length < settings.replicationFactor) return undefined;
  const current = partitions.map(({ replicas, move }) => move?.to ?? replicas);
  return lastPlan.of(settings, able, current);
}

/**
 * Planning is the dearest thing here (docs/benchmarks.md), asked for several times for each change of the topology, of which most are
 * confirmations and change nothing that a plan follows from: then it is the last one again.
 */
class LastPlan {
  #input: readonly unknown[] = [];
  #sets: readonly (readonly MemberId[])[] = [];

  of(
    settings: TopologyState['settings'],
    able: readonly Member[],
    current: readonly (readonly MemberId[])[],
  ): readonly (readonly MemberId[])[] {
    const input = [settings, ...able, ...current];
    if (isSameList(input, this.#input)) return this.#sets;
    const members = new Map(able.map(({ number, weight, zone }) => [number, { weight, zone }]));
    this.#sets = planPlacement(settings, { members, current }).replicaSets;
    this.#input = input;
    return this.#sets;
  }
}

const lastPlan = new LastPlan();

const isSameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((each, index) => each === b[index]);

export type Differing = {
  readonly number: number;
  readonly partition: Partition;
  readonly to: readonly MemberId[];
};

/** Those that do not move and whose set is another one; the order of a set is no reason to move it. */
export function differingPartitions(
  { partitions }: TopologyState,
  target: readonly (readonly MemberId[])[],
): readonly Differing[] {
  return partitions.flatMap((partition, number): Differing[] => {
    const to = target[number];
    const isDone = to === undefined || isSameSet(partition.replicas, to);
    return isDone || partition.move !== undefined ? [] : [{ number, partition, to }];
  });
}

/** Whether the move could be carried to its end as things are. */
export function isStartable(
  state: TopologyState,
  facts: Pick<PlanFacts, 'isUp'>,
  { replicas }: Partition,
  to: readonly MemberId[],
): boolean {
  const entering = enteringOf(replicas, to);
  if (!hasAll(liveReplicas(state, facts, entering), entering)) return false;
  return liveReplicas(state, facts, replicas).length >= majority(replicas.length);
}

/** A number that was retired is dead, whatever is still heard of it. */
export function liveReplicas(
  { members }: TopologyState,
  { isUp }: Pick<PlanFacts, 'isUp'>,
  set: readonly MemberId[],
): readonly MemberId[] {
  return set.filter((member) => members.has(member) && isUp(member));
}

/** What the limits leave beside the moves that are under way. */
class MoveBudget {
  readonly #limits: PlanLimits;
  #moves = 0;
  readonly #entering = new Map<MemberId, number>();

  constructor(state: TopologyState, limits: PlanLimits) {
    this.#limits = limits;
    for (const { replicas, move } of state.partitions)
      if (move !== undefined) this.#count(enteringOf(replicas, move.to));
  }

  take(entering: readonly MemberId[]): boolean {
    const { movesMax, enteringPerMemberMax } = this.#limits;
    if (this.#moves >= movesMax) return false;
    if (entering.some((member) => (this.#entering.get(member) ?? 0) >= enteringPerMemberMax)) return false;
    this.#count(entering);
    return true;
  }

  #count(entering: readonly MemberId[]): void {
    this.#moves += 1;
    for (const member of entering) this.#entering.set(member, (this.#entering.get(member) ?? 0) + 1);
  }
}
