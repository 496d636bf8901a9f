import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../storage/engine.ts';
import { partitionRange } from '../replica/ranges.ts';

/** How long a sample is good for. */
const SAMPLE_MS = 30_000;
const PARTITIONS_MAX = 8;
const PAGE = { entriesMax: 32, bytesMax: 1 << 20 };

export type RecordSizeDeps = {
  readonly clock: Clock;
  readonly engine: Engine;
  ownedPartitions(): readonly number[];
};

/**
 * How large a record of this member is on average, its key included: a sample of the first records of a few partitions. Keys are
 * in no order that has to do with time or size, since it is their hash that puts them into a partition.
 */
export class RecordSize {
  readonly #deps: RecordSizeDeps;
  #sample: { readonly atMs: number; readonly bytes: Promise<number> } | undefined;

  constructor(deps: RecordSizeDeps) {
    this.#deps = deps;
  }

  /** 0 where nothing is held. */
  mean(): Promise<number> {
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#sample === undefined || nowMs - this.#sample.atMs > SAMPLE_MS)
      this.#sample = { atMs: nowMs, bytes: this.#take().catch((error: unknown) => this.#fail(error)) };
    return this.#sample.bytes;
  }

  /** What could not be read is looked at again by the next that asks. */
  #fail(error: unknown): never {
    this.#sample = undefined;
    throw error;
  }

  async #take(): Promise<number> {
    const owned = this.#deps.ownedPartitions();
    const step = Math.max(1, Math.floor(owned.length / PARTITIONS_MAX));
    await using view = this.#deps.engine.openView({ reverse: false });
    let [bytes, count] = [0, 0];
    for (const partition of owned.filter((_, i) => i % step === 0)) {
      const { entries } = await view.page(partitionRange(partition), PAGE);
      for (const { key, value } of entries) bytes += key.length + value.length;
      count += entries.length;
    }
    // An empty member is looked at again: what comes to it soon has a size.
    if (count === 0) this.#sample = undefined;
    return count === 0 ? 0 : bytes / count;
  }
}
