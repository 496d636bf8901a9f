import { type Clock, sleep } from '../../ports/clock.ts';
import {
  type Engine,
  EngineClosedError,
  EngineFailedError,
  type EngineOperation,
  type EngineView,
  type KeyRange,
} from '../../storage/engine.ts';
import { EXPIRY_RANGE } from '../../storage/key-layout.ts';
import { hasExpiry } from '../../storage/record.ts';
import type { Damage } from './damage.ts';
import { decodeIntact, indexKeyOf } from './held.ts';
import type { KeyTable } from './key-table.ts';
import type { PartitionState } from './partition-state.ts';
import { addressOf, pagesOf, partitionRange, tombstoneRange } from './ranges.ts';

export type EmptierDeps = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly table: KeyTable;
  readonly damage: Damage;
  readonly signal: AbortSignal;
  /** What failed, and is tried again. */
  onError(error: unknown): void;
};

/** Rest between pages, so that whoever else reads is not held up. */
const PAUSE_MS = 1;
const RETRY_MS = 1000;
const PAGE = { entriesMax: 1024, bytesMax: 1 << 20 };

/**
 * Deletes the data of whole partitions: of those that this member has left, and of those that it comes to, where it may hold what
 * it left behind an earlier time. One partition after the other, so that a deletion has ended, or was dropped, before
 * its member may enter again.
 */
export class Emptier {
  readonly #deps: EmptierDeps;
  readonly #left = new Set<PartitionState>();
  readonly #leaving = new Set<PartitionState>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: EmptierDeps) {
    this.#deps = deps;
  }

  /** Deletes what this member left behind, once, however often it takes; where it comes back meanwhile the rest is for `empty`. */
  async leave(partition: PartitionState): Promise<void> {
    if (this.#left.has(partition) || this.#leaving.has(partition)) return;
    this.#leaving.add(partition);
    const isDue = (): boolean => !partition.isOwner;
    while (isDue() && !this.#deps.signal.aborted) {
      const end = await this.empty(partition, isDue).catch((error: unknown) => this.#retryLater(error));
      if (end === true) this.#left.add(partition);
      if (end === true || end === 'hopeless') break;
    }
    this.#leaving.delete(partition);
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

  async #retryLater(error: unknown): Promise<'failed' | 'hopeless'> {
    const { clock, signal, onError } = this.#deps;
    if (error instanceof EngineClosedError || error instanceof EngineFailedError) return 'hopeless';
    onError(error);
    await sleep(clock, RETRY_MS, signal);
    return 'failed';
  }

  async #empty(partition: PartitionState, isDue: () => boolean): Promise<boolean> {
    const { engine, table, signal, damage } = this.#deps;
    const { number } = partition;
    // What was let in before this member left is settled first; after that nothing is written.
    await partition.drained();
    const mayGoOn = (): boolean => !signal.aborted && isDue();
    await using view = engine.openView({ reverse: false });
    await this.#deleteExpiries(partition, view, mayGoOn);
    if (!mayGoOn()) return false;
    // Whoever reads one of the keys still ends with what it has.
    table.forgetAll(partition);
    // Most members come to a partition for the first time, and to many at once: each fsync would hold up all that follow.
    if ((await isAnyIn(view, partitionRange(number))) || (await isAnyIn(view, tombstoneRange(number)))) {
      await engine.write([{ type: 'delete-range', ...tombstoneRange(number) }], { sync: false });
      await engine.write([{ type: 'delete-range', ...partitionRange(number) }], { sync: true });
      table.forgetAll(partition);
    }
    damage.forget(number);
    return mayGoOn();
  }

  /**
   * The entries of the index of expiry times, which is not one range of the partition: its records are read for them, unless no
   * record of this member expires at all.
   */
  async #deleteExpiries({ number }: PartitionState, view: EngineView, mayGoOn: () => boolean): Promise<void> {
    if (!(await isAnyIn(view, EXPIRY_RANGE))) return;
    const { engine, clock, signal } = this.#deps;
    const rest = (): Promise<void> => sleep(clock, PAUSE_MS, signal);
    for await (const entries of pagesOf(view, partitionRange(number), PAGE, rest)) {
      if (!mayGoOn()) break;
      const operations = entries
        .filter(({ value }) => hasExpiry(value))
        .flatMap(({ key, value }) => expiryDeletion(Uint8Array.from(key), value));
      if (operations.length > 0) await engine.write(operations, { sync: false });
    }
  }
}

async function isAnyIn(view: EngineView, range: KeyRange): Promise<boolean> {
  const { entries } = await view.page(range, { entriesMax: 1, bytesMax: 1 });
  return entries.length > 0;
}

function expiryDeletion(storedKey: Uint8Array, value: Uint8Array): readonly EngineOperation[] {
  const record = decodeIntact(storedKey, value);
  if (record?.value === undefined || record.expiresAtMs === undefined) return [];
  const indexKey = indexKeyOf(addressOf(storedKey), record);
  return indexKey === undefined ? [] : [{ type: 'delete', key: indexKey }];
}
