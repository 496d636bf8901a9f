import { type Clock, sleep } from '../../ports/clock.ts';
import type { Engine } from '../../storage/engine.ts';
import type { PartitionState } from './partition-state.ts';
import { pagesOf, partitionRange } from './ranges.ts';
import { REMOVED_PAGE, type RecordRemover } from './record-remover.ts';

export type EmptierDeps = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly remover: RecordRemover;
  readonly signal: AbortSignal;
};

/** Rest between pages, so that deleting takes no more than a share of the disk. */
const PAUSE_MS = 1;

/**
 * Deletes the data of whole partitions: of those that this member has left, and of those that it comes to, where it may hold what
 * it left behind an earlier time. One partition after the other, so that a deletion has ended, or was dropped, before
 * its member may enter again (DESIGN section 8).
 */
export class Emptier {
  readonly #deps: EmptierDeps;
  readonly #left = new Set<PartitionState>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: EmptierDeps) {
    this.#deps = deps;
  }

  /** Deletes what this member left behind, once; where it comes back meanwhile the rest is for `empty`. */
  async leave(partition: PartitionState): Promise<void> {
    if (this.#left.has(partition)) return;
    const isEmptied = await this.empty(partition, () => !partition.isOwner);
    if (isEmptied) this.#left.add(partition);
  }

  /** Resolves once all of it is durably gone: true; false where `isDue` ended before. `isDue` is asked before each page. */
  empty(partition: PartitionState, isDue: () => boolean): Promise<boolean> {
    this.#left.delete(partition);
    const emptied = this.#last.then(() => this.#empty(partition, isDue));
    this.#last = emptied.catch(() => {});
    return emptied;
  }

  /** Resolves once nothing of it runs any more. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #empty(partition: PartitionState, isDue: () => boolean): Promise<boolean> {
    const { engine, clock, remover, signal } = this.#deps;
    // What was let in before this member left is settled first; after that nothing is written.
    await partition.drained();
    const mayGoOn = (): boolean => !signal.aborted && isDue();
    if (!mayGoOn()) return false;
    await using view = engine.openView({ reverse: false });
    const rest = (): Promise<void> => sleep(clock, PAUSE_MS, signal);
    for await (const entries of pagesOf(view, partitionRange(partition.number), REMOVED_PAGE, rest)) {
      if (!mayGoOn()) return false;
      await remover.remove(partition, entries);
    }
    return mayGoOn();
  }
}
