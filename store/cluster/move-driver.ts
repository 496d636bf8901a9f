import { cancelsOf } from '../core/moves/cancels-of.ts';
import { type MoveFacts, type NextStep, nextStep } from '../core/moves/next-step.ts';
import { type PlanLimits, planMoves } from '../core/moves/plan-moves.ts';
import type { MoveCommand, TopologyCommand } from '../core/topology/command.ts';
import { mayReceive } from '../core/topology/members.ts';
import type { Partition, TopologyState } from '../core/topology/types.ts';
import type { Clock, Timer } from '../ports/clock.ts';

export type MoveDriverOptions = {
  readonly intervalMs: number;
  /** `cluster.rebalance` */
  readonly rebalance: boolean;
  /** `cluster.rebalanceAfterMs` */
  readonly rebalanceAfterMs: number;
};

/** Moves under way at the same time, in all, and to one member: each costs both sides disk and network. */
const LIMITS: PlanLimits = { movesMax: 64, enteringPerMemberMax: 16 };

export type MoveDriverDeps = {
  readonly clock: Clock;
  readonly topology: { readonly state: TopologyState | undefined };
  isLeader(): boolean;
  /** What this node knows of the members now; asked in every interval, for since when they are down is noted there. */
  facts(state: TopologyState): MoveFacts;
  /** Never rejects; resolves when the outcome is known, or given up on. */
  propose(command: TopologyCommand): Promise<unknown>;
};

/**
 * On the leader: begins the moves that the members ask for by coming, draining and being gone, and takes the next step of each
 * whose members have confirmed what it needs. It keeps nothing of its own: what is next follows from the topology, so a new leader goes
 * on where the old one stopped.
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
    const commands = [...stepsOf(state, facts), ...this.#starts(state, facts)];
    if (commands.length === 0) return;
    this.#isProposing = true;
    const end = (): void => {
      this.#isProposing = false;
      // What was refused, or not done, would be so at once again.
      if (this.#deps.topology.state !== state) this.look();
    };
    Promise.all(commands.map((command) => this.#deps.propose(command))).then(end, end);
  }

  #starts(state: TopologyState, facts: MoveFacts): readonly MoveCommand[] {
    const { rebalance, rebalanceAfterMs } = this.#options;
    const eligible = [...state.members.values()].filter(
      (member) => mayReceive(member) && !facts.isGone(member.number),
    );
    const numbers = new Set(eligible.map(({ number }) => number));
    if (this.#calm.forMs([...numbers].join(' ')) < rebalanceAfterMs) return [];
    const isDue = ({ replicas }: Partition): boolean =>
      rebalance || !replicas.every((member) => numbers.has(member));
    const moves = planMoves(state, facts, LIMITS, isDue);
    const { replicationFactor } = state.settings;
    return moves.length === 0 ? [] : [{ type: 'move-start', replicationFactor, moves }];
  }

  #schedule(): void {
    this.#timer = this.#deps.clock.setTimer(this.#options.intervalMs, () => {
      const { state } = this.#deps.topology;
      if (state !== undefined) this.#deps.facts(state);
      this.look();
      if (!this.#isStopped) this.#schedule();
    });
  }
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
