import type { Entry, Snapshot } from '../core/raft/types.ts';
import { applyCommand } from '../core/topology/apply.ts';
import { decodeCommand, decodeState, encodeState } from '../core/topology/codec.ts';
import type { TopologyRefusal } from '../core/topology/command.ts';
import { type Epoch, type TopologyState, toEpoch } from '../core/topology/types.ts';
import type { StateMachine } from './raft-driver.ts';

/** What a committed command came to; `epoch` is the one that it holds since, at the latest. */
export type CommandOutcome =
  | { readonly type: 'done'; readonly epoch: Epoch; readonly subject: number }
  | { readonly type: 'refused'; readonly refusal: TopologyRefusal };

/** The topology as this member has applied it, and those who wait for it to move on. */
export class TopologyReplica implements StateMachine<CommandOutcome | undefined> {
  readonly #listeners = new Set<() => void>();
  #state: TopologyState | undefined;

  /** Undefined until the first snapshot has arrived. */
  get state(): TopologyState | undefined {
    return this.#state;
  }

  get epoch(): Epoch {
    return this.#state?.epoch ?? toEpoch(0);
  }

  apply(entry: Entry): CommandOutcome | undefined {
    if (entry.type !== 'command') return undefined;
    if (this.#state === undefined)
      throw new Error(`entry ${entry.index} came before the topology that it changes`);
    const outcome = applyCommand(this.#state, decodeCommand(entry.data));
    if (outcome.type === 'refused') return { type: 'refused', refusal: outcome.refusal };
    if (outcome.type === 'applied') this.#become(outcome.state);
    return { type: 'done', epoch: outcome.state.epoch, subject: outcome.subject };
  }

  restore(snapshot: Snapshot): void {
    if (snapshot.data.length > 0) this.#become(decodeState(snapshot.data));
  }

  snapshot(): Uint8Array {
    if (this.#state === undefined) throw new Error('there is no topology to take a snapshot of');
    return encodeState(this.#state);
  }

  /** Called in the turn in which the topology has changed; returns how to end that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once `condition` holds for the applied epoch, true; or false at `signal`. */
  waitFor(condition: (epoch: Epoch) => boolean, signal: AbortSignal): Promise<boolean> {
    if (condition(this.epoch)) return Promise.resolve(true);
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (holds: boolean): void => {
        forget();
        signal.removeEventListener('abort', onAbort);
        resolve(holds);
      };
      const onAbort = (): void => end(false);
      const forget = this.onChange(() => {
        if (condition(this.epoch)) end(true);
      });
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #become(state: TopologyState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}
