import { cancelsOf } from '../core/moves/cancels-of.ts';
import { type MoveFacts, type NextStep, nextStep } from '../core/moves/next-step.ts';
import { type PlanLimits, planMoves } from '../core/moves/plan-moves.ts';
import type { MemberId } from '../core/raft/types.ts';
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
  /** `cluster.replaceMemberAfterMs` */
  readonly replaceMemberAfterMs: number;
};

/** Moves under way at the same time, in all, and to one member: each costs both sides disk and network. */
const LIMITS: PlanLimits = { movesMax: 64, enteringPerMemberMax: 8 };

export type MoveDriverDeps = {
  readonly clock: Clock;
  readonly topology: { readonly state: TopologyState | undefined };
  isLeader(): boolean;
  /** As far as gossip tells. */
  isUp(member: MemberId): boolean;
  /** Never rejects; resolves when the outcome is known, or given up on. */
  propose(command: TopologyCommand): Promise<unknown>;
};

/**
 * On the leader: begins the moves that the members ask for by coming, draining and being gone, and takes the next step of each
 * whose members have confirmed what it needs. It keeps nothing of its own but since when members are down: what is next follows from
 * the topology, so a new leader goes on where the old one stopped.
 */
export class MoveDriver {
  readonly #options: MoveDriverOptions;
  readonly #deps: MoveDriverDeps;
  readonly #down: DownTimes;
  readonly #calm: CalmTime;
  #timer: Timer | undefined;
  #isProposing = false;
  #isStopped = false;

  constructor(options: MoveDriverOptions, deps: MoveDriverDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#down = new DownTimes(deps);
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
    const facts = this.#facts(state);
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

  /** What is known of the members, in the time in which this one leads. */
  #facts(state: TopologyState): MoveFacts {
    const { isUp } = this.#deps;
    const { replaceMemberAfterMs } = this.#options;
    this.#down.note(state.members.keys(), isUp);
    return {
      isUp: (member) => state.members.has(member) && isUp(member),
      isGone: (member) => !state.members.has(member) || this.#down.downMs(member) >= replaceMemberAfterMs,
      nameOf: (member) => state.members.get(member)?.name ?? `member-${member}`,
    };
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
      // Who does not lead starts counting anew when it does.
      if (!this.#deps.isLeader()) this.#down.forget();
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

/** For how long members have been down, as this node has seen it. */
class DownTimes {
  readonly #since = new Map<MemberId, number>();
  readonly #clock: Clock;

  constructor(deps: { readonly clock: Clock }) {
    this.#clock = deps.clock;
  }

  /** Call it now and then with all members. */
  note(members: Iterable<MemberId>, isUp: (member: MemberId) => boolean): void {
    for (const member of members) {
      if (isUp(member)) this.#since.delete(member);
      else if (!this.#since.has(member)) this.#since.set(member, this.#clock.monotonicMs());
    }
  }

  forget(): void {
    this.#since.clear();
  }

  /** 0 where it is up. */
  downMs(member: MemberId): number {
    const since = this.#since.get(member);
    return since === undefined ? 0 : this.#clock.monotonicMs() - since;
  }
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
