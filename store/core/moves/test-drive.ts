import { applyCommand } from '../topology/apply.ts';
import type { MoveStart, TopologyCommand } from '../topology/command.ts';
import type { TopologyState } from '../topology/types.ts';
import { cancelsOf } from './cancels-of.ts';
import { nextStep } from './next-step.ts';
import { type PlanLimits, planMoves } from './plan-moves.ts';
import { commandOf, dueOf, partitionAt } from './test-moves.ts';

/** For tests: a cluster whose coordinator and members take their steps one by one, while members come and go. */
export class Drive {
  state: TopologyState;
  readonly limits: PlanLimits;
  readonly down = new Set<number>();
  readonly gone = new Set<number>();
  readonly started: MoveStart[] = [];
  readonly facts = {
    isUp: (member: number) => !this.down.has(member) && !this.gone.has(member),
    isGone: (member: number) => this.gone.has(member),
    nameOf: (member: number) => this.state.members.get(member)?.name ?? `member-${member}`,
  };
  #turn = 0;

  constructor(state: TopologyState, limits: PlanLimits) {
    this.state = state;
    this.limits = limits;
  }

  /** Whether it was applied. */
  apply(command: TopologyCommand): boolean {
    const outcome = applyCommand(this.state, command);
    this.state = outcome.state;
    return outcome.type === 'applied';
  }

  /** Cancels and starts what there is, then one step of each partition. Whether anything changed. */
  step(onStart: (moves: readonly MoveStart[]) => void = () => {}): boolean {
    const before = this.state;
    const cancelled = cancelsOf(this.state, this.facts).map(({ at }) => at);
    if (cancelled.length > 0) this.#must({ type: 'move-cancel', moves: cancelled });
    const moves = planMoves(this.state, this.facts, this.limits);
    onStart(moves);
    this.started.push(...moves);
    const { replicationFactor } = this.state.settings;
    if (moves.length > 0) this.#must({ type: 'move-start', replicationFactor, moves });
    for (const partition of this.state.partitions.keys()) this.#stepOf(partition);
    return this.state !== before;
  }

  #stepOf(partition: number): void {
    const step = nextStep(partition, partitionAt(this.state, partition), this.facts);
    if (step === undefined) return;
    // Members and coordinator take turns, so that confirmations beyond those that are needed come up as well.
    const due = dueOf(this.state, partition, this.facts.isUp);
    const command = this.#turn++ % 3 === 0 ? (due ?? commandOf(step)) : (commandOf(step) ?? due);
    if (command !== undefined) this.#must(command);
  }

  /** The cluster proposes nothing that it then refuses. */
  #must(command: TopologyCommand): void {
    const outcome = applyCommand(this.state, command);
    const isWhole =
      outcome.type === 'applied' && (!('moves' in command) || outcome.subject === command.moves.length);
    if (!isWhole) throw new Error(`${JSON.stringify(command)} came to ${JSON.stringify(outcome)}`);
    this.state = outcome.state;
  }
}
