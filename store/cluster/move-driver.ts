import { type MoveFacts, type NextStep, nextStep } from '../core/moves/next-step.ts';
import type { MemberId } from '../core/raft/types.ts';
import type { MoveCommand, TopologyCommand } from '../core/topology/command.ts';
import type { TopologyState } from '../core/topology/types.ts';
import type { Clock, Timer } from '../ports/clock.ts';

export type MoveDriverOptions = {
  readonly intervalMs: number;
};

export type MoveDriverDeps = {
  readonly clock: Clock;
  readonly topology: { readonly state: TopologyState | undefined };
  isLeader(): boolean;
  facts(): MoveFacts;
  /** Never rejects; resolves when the outcome is known, or given up on. */
  propose(command: TopologyCommand): Promise<unknown>;
};

/**
 * On the leader: takes the next step of every move whose members have confirmed what it needs. It keeps nothing of its own but
 * that a proposal is under way: what is next follows from the topology, so a new leader goes on where the old one stopped.
 */
export class MoveDriver {
  readonly #options: MoveDriverOptions;
  readonly #deps: MoveDriverDeps;
  #timer: Timer | undefined;
  #isProposing = false;
  #isStopped = false;

  constructor(options: MoveDriverOptions, deps: MoveDriverDeps) {
    this.#options = options;
    this.#deps = deps;
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
    const commands = stepsOf(state, this.#deps.facts());
    if (commands.length === 0) return;
    this.#isProposing = true;
    const end = (): void => {
      this.#isProposing = false;
      // What was refused, or not done, would be so at once again.
      if (this.#deps.topology.state !== state) this.look();
    };
    Promise.all(commands.map((command) => this.#deps.propose(command))).then(end, end);
  }

  #schedule(): void {
    this.#timer = this.#deps.clock.setTimer(this.#options.intervalMs, () => {
      this.look();
      if (!this.#isStopped) this.#schedule();
    });
  }
}

/** One command for each kind of step, for all partitions that are to take it. */
export function stepsOf(state: TopologyState, facts: MoveFacts): readonly MoveCommand[] {
  const steps = state.partitions.flatMap((partition, number) => nextStep(number, partition, facts) ?? []);
  const at = <T extends NextStep['type']>(type: T) =>
    steps.flatMap((step) => (step.type === type ? [step as Extract<NextStep, { readonly type: T }>] : []));
  const places = (type: 'cancel' | 'advance' | 'switch' | 'done') => at(type).map((step) => step.at);
  const commands: readonly MoveCommand[] = [
    { type: 'move-cancel', moves: places('cancel') },
    { type: 'move-advance', moves: places('advance') },
    { type: 'move-sources', moves: at('sources').map((step) => ({ ...step.at, sources: step.sources })) },
    { type: 'move-switch', moves: places('switch') },
    { type: 'move-done', moves: places('done') },
  ];
  return commands.filter(({ moves }) => moves.length > 0);
}

/** For how long members have been down, as this node has seen it. */
export class DownTimes {
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

  /** 0 where it is up. */
  downMs(member: MemberId): number {
    const since = this.#since.get(member);
    return since === undefined ? 0 : this.#clock.monotonicMs() - since;
  }
}
