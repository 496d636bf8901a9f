import { AUTOMATIC, operationsToCancel, operationsToStart } from '../core/moves/automatic.ts';
import { cancelsOf } from '../core/moves/cancels-of.ts';
import { type MoveFacts, type NextStep, nextStep } from '../core/moves/next-step.ts';
import { finishedOperations, partitionsToMove } from '../core/moves/operations.ts';
import { planLimits } from '../core/moves/plan-limits.ts';
import { type PlanLimits, planMoves } from '../core/moves/plan-moves.ts';
import { isWanted } from '../core/moves/wanted.ts';
import type { MemberId } from '../core/raft/types.ts';
import type { CommandOf, MoveCommand, RequestedWant, TopologyCommand } from '../core/topology/command.ts';
import { receivers } from '../core/topology/shares.ts';
import type { TopologyState } from '../core/topology/types.ts';
import type { Clock, Timer } from '../ports/clock.ts';

/** They may change meanwhile. */
export type AutomaticMoveOptions = {
  /** `cluster.rebalance`: whether partitions move by themselves; else only those of draining members do. */
  readonly rebalance: boolean;
  /** `cluster.rebalanceAfterMs` */
  readonly rebalanceAfterMs: number;
  /** `cluster.replaceMemberAfterMs` */
  readonly replaceMemberAfterMs: number;
};

export type MoveDriverOptions = { readonly automatic: AutomaticMoveOptions; readonly intervalMs: number };

export type MoveDriverDeps = {
  readonly clock: Clock;
  readonly topology: { readonly state: TopologyState | undefined };
  isLeader(): boolean;
  facts(state: TopologyState): MoveFacts;
  /** Notes who is down; called in every interval, also where another leads. */
  note(state: TopologyState): void;
  /** As far as it was noted. */
  downForMs(member: MemberId): number;
  /** Of the busiest member, 0 to 1, as far as gossip tells. */
  load(): number;
  /** Never rejects; resolves when the outcome is known, or given up on. */
  propose(command: TopologyCommand): Promise<unknown>;
};

/**
 * On the leader: begins the moves that operations ask for, takes the next step of each whose members have confirmed what it needs, and
 * ends the operations that are done. It keeps nothing of its own: what is next follows from the topology, so a new leader goes on where
 * the old one stopped.
 */
export class MoveDriver {
  readonly #options: MoveDriverOptions;
  readonly #deps: MoveDriverDeps;
  readonly #calm: CalmTime;
  #timer: Timer | undefined;
  #isProposing = false;
  #isStopped = false;

  constructor(options: MoveDriverOptions, deps: MoveDriverDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#calm = new CalmTime(deps);
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Something may have been confirmed. */
  look(): void {
    const { state } = this.#deps.topology;
    if (this.#isProposing || this.#isStopped || state === undefined || !this.#deps.isLeader()) return;
    const facts = this.#deps.facts(state);
    const commands = [
      ...stepsOf(state, facts),
      ...startsOf(state, facts, planLimits(this.#deps.load())),
      ...this.#operations(state, facts),
    ];
    if (commands.length === 0) return;
    this.#isProposing = true;
    const end = (): void => {
      this.#isProposing = false;
      // What was refused, or not done, would be so at once again.
      if (this.#deps.topology.state !== state) this.look();
    };
    Promise.all(commands.map((command) => this.#deps.propose(command))).then(end, end);
  }

  #operations(state: TopologyState, facts: MoveFacts): readonly TopologyCommand[] {
    if (state.partitions.length === 0) return [];
    const { rebalance, rebalanceAfterMs, replaceMemberAfterMs } = this.#options.automatic;
    const able = receivers(state).map(({ number, weight, zone }) => `${number} ${weight} ${zone}`);
    const wants = operationsToStart(state, facts, {
      rebalance,
      isCalm: this.#calm.forMs(able.join()) >= rebalanceAfterMs,
      isLost: (member) => this.#deps.downForMs(member) >= replaceMemberAfterMs,
    });
    const atMs = this.#deps.clock.nowMs();
    return [
      ...finishedOperations(state, facts).map(({ id }) => ({ type: 'operation-end', id, atMs }) as const),
      ...operationsToCancel(state, facts).map(({ id }) => ({ type: 'operation-cancel', id, atMs }) as const),
      // A zone that is lost as a whole is no reason to leave its replicas lost.
      ...wants.map((want) => ({ ...startOf(want, { state, facts, atMs }), by: AUTOMATIC, isForced: true })),
    ];
  }

  #schedule(): void {
    this.#timer = this.#deps.clock.setTimer(this.#options.intervalMs, () => {
      const { state } = this.#deps.topology;
      if (state !== undefined) this.#deps.note(state);
      this.look();
      if (!this.#isStopped) this.#schedule();
    });
  }
}

type Asked = { readonly state: TopologyState; readonly facts: MoveFacts; readonly atMs: number };

/** What is asked for, with how many partitions it is about. */
export function startOf(
  want: RequestedWant,
  { state, facts, atMs }: Asked,
): Omit<CommandOf<'operation-start'>, 'by'> {
  const partitions =
    want.type === 'factor'
      ? state.partitions.filter(({ replicas }) => replicas.length !== want.replicationFactor)
      : partitionsToMove(state, facts, { want });
  return { type: 'operation-start', want, isForced: false, atMs, partitions: partitions.length };
}

function startsOf(state: TopologyState, facts: MoveFacts, limits: PlanLimits): readonly MoveCommand[] {
  const moves = planMoves(state, facts, limits, (partition) => isWanted(state, partition));
  const { replicationFactor } = state.settings;
  return moves.length === 0 ? [] : [{ type: 'move-start', replicationFactor, moves }];
}

/** One command for each kind of step, for all partitions that are to take it. */
export function stepsOf(state: TopologyState, facts: MoveFacts): readonly MoveCommand[] {
  const cancels = cancelsOf(state, facts);
  const cancelled = new Set(cancels.map((cancel) => cancel.at.partition));
  const steps = state.partitions.flatMap((partition, number) =>
    cancelled.has(number) ? [] : (nextStep(number, partition, facts) ?? []),
  );
  const at = <T extends NextStep['type']>(type: T) =>
    steps.flatMap((step) => (step.type === type ? [step as Extract<NextStep, { readonly type: T }>] : []));
  const places = (type: 'cancel' | 'advance' | 'switch' | 'done') => at(type).map((step) => step.at);
  const commands: readonly MoveCommand[] = [
    { type: 'move-cancel', moves: [...cancels.map((cancel) => cancel.at), ...places('cancel')] },
    { type: 'move-advance', moves: places('advance') },
    { type: 'move-sources', moves: at('sources').map((step) => ({ ...step.at, sources: step.sources })) },
    { type: 'move-switch', moves: places('switch') },
    { type: 'move-done', moves: places('done') },
  ];
  return commands.filter(({ moves }) => moves.length > 0);
}

/** For how long something has stayed as it is. */
class CalmTime {
  readonly #clock: Clock;
  #what: string | undefined;
  #sinceMs = 0;

  constructor(deps: { readonly clock: Clock }) {
    this.#clock = deps.clock;
  }

  forMs(what: string): number {
    const nowMs = this.#clock.monotonicMs();
    if (what !== this.#what) this.#sinceMs = nowMs;
    this.#what = what;
    return nowMs - this.#sinceMs;
  }
}
