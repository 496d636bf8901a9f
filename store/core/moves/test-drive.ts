import { applyCommand } from '../topology/apply.ts';
import type { MoveStart, TopologyCommand } from '../topology/command.ts';
import { removalProblem } from '../topology/members.ts';
import { isReplaced } from '../topology/shares.ts';
import type { TopologyState } from '../topology/types.ts';
import { AUTOMATIC, operationsToCancel, operationsToStart } from './automatic.ts';
import { cancelsOf } from './cancels-of.ts';
import { nextStep } from './next-step.ts';
import { finishedOperations } from './operations.ts';
import { type PlanLimits, planMoves } from './plan-moves.ts';
import { asked, commandOf, dueOf, partitionAt } from './test-moves.ts';
import { isWanted } from './wanted.ts';

/** For tests: a cluster whose coordinator and members take their steps one by one, while members come and go. */
export class Drive {
  state: TopologyState;
  readonly limits: PlanLimits;
  readonly down = new Set<number>();
  readonly gone = new Set<number>();
  readonly started: MoveStart[] = [];
  rebalance = true;
  isCalm = true;
  readonly facts = {
    isUp: (member: number) => !this.down.has(member) && !this.gone.has(member),
    isReplaced: (member: number) => isReplaced(this.state, member),
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

  drain(member: number): boolean {
    return this.apply(asked({ type: 'drain', member }));
  }

  cancelDrain(member: number): boolean {
    const drain = this.state.operations.find(
      ({ state, want }) => state === 'running' && want.type === 'drain' && want.member === member,
    );
    return drain !== undefined && this.apply({ type: 'operation-cancel', id: drain.id, atMs: 2 });
  }

  /** Begins and ends operations, cancels and starts moves, then takes one step of each partition. Whether anything changed. */
  step(onStart: (moves: readonly MoveStart[]) => void = () => {}): boolean {
    const before = this.state;
    this.#operations();
    const cancelled = cancelsOf(this.state, this.facts).map(({ at }) => at);
    if (cancelled.length > 0) this.#must({ type: 'move-cancel', moves: cancelled });
    const moves = planMoves(this.state, this.facts, this.limits, (one) => isWanted(this.state, one));
    onStart(moves);
    this.started.push(...moves);
    const { replicationFactor } = this.state.settings;
    if (moves.length > 0) this.#must({ type: 'move-start', replicationFactor, moves });
    for (const partition of this.state.partitions.keys()) this.#stepOf(partition);
    return this.state !== before;
  }

  #operations(): void {
    // One that went with another one on the same member is done already.
    for (const { id } of finishedOperations(this.state, this.facts))
      if (this.#canEnd(id)) this.apply({ type: 'operation-end', id, atMs: 3 });
    for (const { id } of operationsToCancel(this.state, this.facts))
      this.#must({ type: 'operation-cancel', id, atMs: 3 });
    const options = {
      rebalance: this.rebalance,
      isCalm: this.isCalm,
      isLost: (member: number) => this.gone.has(member),
    };
    for (const want of operationsToStart(this.state, this.facts, options))
      this.#must({ ...asked(want), by: AUTOMATIC, isForced: true } as TopologyCommand);
  }

  /** The last member that has started is not removed. */
  #canEnd(id: number): boolean {
    const want = this.state.operations.find((one) => one.id === id)?.want;
    const member = want !== undefined && 'member' in want ? this.state.members.get(want.member) : undefined;
    return member === undefined || removalProblem(this.state, member) === undefined;
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
