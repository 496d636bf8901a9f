import type { Entry, LogIndex, MemberId } from '../../core/raft/types.ts';
import { applyCommand } from '../../core/topology/apply.ts';
import { decodeCommand, decodeState, encodeState } from '../../core/topology/codec.ts';
import { findViolation } from '../../core/topology/invariants.ts';
import type { Epoch, TopologyState } from '../../core/topology/types.ts';
import { asBuffer } from '../../storage/checksum.ts';
import { once, requireOf } from './violation.ts';

const requireHistory = requireOf('one epoch history');
const requireSound = requireOf('topology invariants');
const requireNumbers = requireOf('member numbers are never reused');
const requireLives = requireOf('an incarnation begins once');

type Start = { readonly member: MemberId; readonly incarnation: number; readonly index: LogIndex };

type Version = { readonly text: string; readonly state: TopologyState };

/**
 * The topology as it must be: the committed entries applied once more, apart from all nodes. Every node is compared
 * with it at every epoch that it shows.
 */
export class TopologyHistory {
  /** Of partitions. */
  readonly moves = { started: 0, done: 0, cancelled: 0 };
  readonly #versions = new Map<Epoch, Version>();
  readonly #directories = new Map<MemberId, string>();
  readonly #lives = new Map<string, string>();
  readonly #waiting = new Map<LogIndex, Entry>();
  readonly #starts: Start[] = [];
  #applied = 0 as LogIndex;
  #state: TopologyState | undefined;

  get state(): TopologyState | undefined {
    return this.#state;
  }

  /** Index of the last entry that is part of `state`. */
  get applied(): LogIndex {
    return this.#applied;
  }

  /** Where the log says that `member` began an incarnation of at least `incarnation`. */
  registeredAt(member: MemberId, incarnation: number): LogIndex | undefined {
    return this.#starts.find((start) => start.member === member && start.incarnation >= incarnation)?.index;
  }

  at(epoch: Epoch): TopologyState | undefined {
    return this.#versions.get(epoch)?.state;
  }

  /** Every epoch's, in order. */
  states(): TopologyState[] {
    return [...this.#versions.values()].map(({ state }) => state);
  }

  /** What the log of the first member begins with. */
  begin(data: Uint8Array, index: LogIndex): void {
    if (this.#state !== undefined) return;
    this.#applied = index;
    this.#become(decodeState(data));
    this.#catchUp();
  }

  committed(entry: Entry): void {
    this.#waiting.set(entry.index, entry);
    if (this.#state !== undefined) this.#catchUp();
  }

  /** A node shows `state`, or has it in a snapshot. */
  shown(who: string, state: TopologyState): void {
    const known = this.#versions.get(state.epoch);
    requireHistory(known !== undefined, () => `${who} is at epoch ${state.epoch}, which was never committed`);
    if (known === undefined || known.state === state) return;
    const text = textOf(state);
    requireHistory(
      known.text === text,
      () => `${who} has at epoch ${state.epoch}: ${text}; others: ${known.text}`,
    );
  }

  #catchUp(): void {
    for (;;) {
      const next = (this.#applied + 1) as LogIndex;
      const entry = this.#waiting.get(next);
      if (entry === undefined || this.#state === undefined) return;
      this.#waiting.delete(next);
      this.#applied = next;
      if (entry.type === 'command') this.#apply(entry.data, this.#state);
    }
  }

  #apply(data: Uint8Array, before: TopologyState): void {
    const command = decodeCommand(data);
    const outcome = applyCommand(before, command);
    const raised = outcome.state.epoch - before.epoch;
    requireHistory(
      raised === (outcome.type === 'applied' ? 1 : 0),
      () => `${command.type} was ${outcome.type} and raised the epoch by ${raised}`,
    );
    if (outcome.type !== 'applied') return;
    this.#become(outcome.state);
    if (command.type === 'move-start') this.moves.started += outcome.subject;
    if (command.type === 'move-done') this.moves.done += outcome.subject;
    if (command.type === 'move-cancel') this.moves.cancelled += outcome.subject;
    if (command.type === 'start') this.#starts.push({ ...command, index: this.#applied });
  }

  #become(state: TopologyState): void {
    const broken = findViolation(state);
    requireSound(broken === undefined, () => `epoch ${state.epoch}: ${String(broken)}`);
    this.#state = state;
    this.#versions.set(state.epoch, { text: textOf(state), state });
    for (const { number, directoryId, incarnation, life } of state.members.values()) {
      const directory = once(this.#directories, number, directoryId);
      requireNumbers(directory === directoryId, () => `member ${number}: ${directory} and ${directoryId}`);
      const known = life === '' ? life : once(this.#lives, `${number} ${incarnation}`, life);
      requireLives(
        known === life,
        () => `member ${number}, incarnation ${incarnation}: ${known} and ${life}`,
      );
    }
  }
}

function textOf(state: TopologyState): string {
  return asBuffer(encodeState(state)).toString('latin1');
}
