import type { Version } from '../../core/version/version.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine, KeyRange } from '../../storage/engine.ts';
import { expiredRange, indexedDataKey, rangeAfter } from '../../storage/key-layout.ts';
import type { Collector } from './collector.ts';
import { maxVersion, ZERO_VERSION } from './partition-facts.ts';
import type { PartitionState } from './partition-state.ts';
import { addressOf, pagesOf } from './ranges.ts';

export type ExpiryCollectorDeps = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly partitions: readonly PartitionState[];
  readonly collector: Collector;
};

/** Index entries that one call looks at. */
const EXAMINED_MAX = 10_000;
const PAGE = { entriesMax: 500, bytesMax: 1 << 20 };
const AT_ONCE = 8;
/** How long the answer to which partitions have something expired is good. */
const SURVEY_MS = 1000;

/**
 * The expiry index is ordered by time over all partitions, so it is walked for all of them together: a stretch at each
 * call, from where the last one ended, since entries that wait for their partition's watermark stay in it.
 */
export class ExpiryCollector {
  readonly #deps: ExpiryCollectorDeps;
  #cursor: Uint8Array | undefined;
  #running: Promise<number> | undefined;
  #survey:
    | { readonly atMs: number; readonly nowMs: number; readonly found: Promise<ReadonlySet<number>> }
    | undefined;

  constructor(deps: ExpiryCollectorDeps) {
    this.#deps = deps;
  }

  /** Resolves with how many records were removed; a call during another one removes nothing itself. */
  async collect(recordsMax: number): Promise<number> {
    if (this.#running !== undefined) {
      await this.#running;
      return 0;
    }
    this.#running = this.#collect(recordsMax).finally(() => {
      this.#running = undefined;
    });
    return await this.#running;
  }

  /** Whether the partition holds a record, or an index entry of one, that expired by `nowMs`. */
  async hasExpired(partition: number, nowMs: number): Promise<boolean> {
    const atMs = this.#deps.clock.monotonicMs();
    const last = this.#survey;
    const isFresh = last !== undefined && atMs - last.atMs < SURVEY_MS && last.nowMs <= nowMs;
    if (!isFresh) this.#survey = { atMs, nowMs, found: this.#lookFor(nowMs) };
    return (await this.#survey?.found)?.has(partition) === true;
  }

  async #collect(recordsMax: number): Promise<number> {
    const range = this.#rangeNow();
    if (range === undefined) return 0;
    await using view = this.#deps.engine.openView({ reverse: false });
    let removed = 0;
    let examined = 0;
    for await (const entries of pagesOf(view, range, PAGE)) {
      for (let at = 0; at < entries.length; ) {
        const some = entries.slice(at, at + Math.min(AT_ONCE, recordsMax - removed));
        removed += await this.#settle(some.map(({ key }) => Uint8Array.from(key)));
        this.#cursor = Uint8Array.from(some.at(-1)?.key ?? []);
        at += some.length;
        if (removed >= recordsMax) return removed;
      }
      examined += entries.length;
      if (examined >= EXAMINED_MAX) return removed;
    }
    this.#cursor = undefined;
    return removed;
  }

  /** What expired by the highest watermark, after the cursor. */
  #rangeNow(): KeyRange | undefined {
    const highest = this.#deps.partitions.reduce<Version>(
      (max, partition) => (partition.isServing ? maxVersion(max, partition.watermark) : max),
      ZERO_VERSION,
    );
    if (highest.wallMs === 0) return undefined;
    const range = expiredRange(highest.wallMs);
    return this.#cursor === undefined ? range : rangeAfter(range, this.#cursor, false);
  }

  async #settle(indexKeys: readonly Uint8Array[]): Promise<number> {
    const byPartition = Map.groupBy(indexKeys, (key) => addressOf(indexedDataKey(key)).partition);
    let removed = 0;
    for (const [number, keys] of byPartition) {
      const partition = this.#deps.partitions[number];
      if (partition?.isServing) removed += await this.#deps.collector.settle(partition, keys);
    }
    return removed;
  }

  async #lookFor(nowMs: number): Promise<ReadonlySet<number>> {
    await using view = this.#deps.engine.openView({ reverse: false });
    const found = new Set<number>();
    let examined = 0;
    for await (const entries of pagesOf(view, expiredRange(nowMs), PAGE)) {
      for (const { key } of entries) found.add(addressOf(indexedDataKey(key)).partition);
      examined += entries.length;
      if (examined >= EXAMINED_MAX || found.size === this.#deps.partitions.length) break;
    }
    return found;
  }
}
