import type { ReadId } from '../core/raft/messages.ts';
import type { ReadOutcome } from '../core/raft/read-index.ts';
import type { ReadResult } from '../core/raft/state.ts';
import type { LogIndex } from '../core/raft/types.ts';

/** `dropped` and `refused` say that nothing was read; a new read may be asked for. */
export type ReadEnd =
  | { readonly type: 'confirmed' }
  | { readonly type: 'dropped'; readonly reason: 'leader-changed' | 'timed-out' | 'stopped' }
  | Extract<ReadOutcome, { readonly type: 'refused' }>;

type Waiting = { readonly index: LogIndex; resolve(end: ReadEnd): void };

/** Read requests, from the question to the turn in which their index is applied. */
export class PendingReads {
  readonly #asked = new Map<number, (end: ReadEnd) => void>();
  #confirmed: Waiting[] = [];

  add(id: ReadId): Promise<ReadEnd> {
    return new Promise((resolve) => this.#asked.set(id.sequence, resolve));
  }

  take(results: readonly ReadResult[]): void {
    for (const result of results) {
      const resolve = this.#asked.get(result.id.sequence);
      this.#asked.delete(result.id.sequence);
      if (resolve === undefined) continue;
      if (result.type === 'confirmed') this.#confirmed.push({ index: result.index, resolve });
      else resolve({ type: 'dropped', reason: result.reason });
    }
  }

  applied(index: LogIndex): void {
    if (this.#confirmed.length === 0) return;
    const isServed = (read: Waiting): boolean => read.index <= index;
    for (const read of this.#confirmed.filter(isServed)) read.resolve({ type: 'confirmed' });
    this.#confirmed = this.#confirmed.filter((read) => !isServed(read));
  }

  endAll(reason: 'stopped'): void {
    for (const resolve of this.#asked.values()) resolve({ type: 'dropped', reason });
    for (const { resolve } of this.#confirmed) resolve({ type: 'dropped', reason });
    this.#asked.clear();
    this.#confirmed = [];
  }
}
