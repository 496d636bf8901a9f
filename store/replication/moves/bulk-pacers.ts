import { BULK_RATE_PERIOD_MS, type BulkRateOptions, nextBulkRate } from '../../core/moves/bulk-rate.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { Clock } from '../../ports/clock.ts';
import { Pacer } from '../exchange/pacer.ts';

export type BulkPacersDeps = {
  readonly clock: Clock;
  /** Of clients' requests at this member. */
  p99Ms(): number | undefined;
};

type Source = {
  readonly pacer: Pacer;
  /** Of the pacer. */
  readonly rate: { bytesPerSecond: number };
  p99Ms: number | undefined;
  changedAtMs: number;
};

/**
 * What a partition costs beside its bytes, in bytes: its stages and confirmations take all members as much work as so many bytes do, and
 * many small partitions would else not be paced at all. Never more than a second.
 */
const STAGES_BYTES = 1 << 20;

/** Paces the bulk from each source by what clients see there and here: whichever of the two is slower. */
export class BulkPacers {
  readonly #options: BulkRateOptions;
  readonly #deps: BulkPacersDeps;
  readonly #sources = new Map<MemberId, Source>();

  constructor(options: BulkRateOptions, deps: BulkPacersDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  of(source: MemberId): Pacer {
    return this.#of(source).pacer;
  }

  /** A page of `source` said how loaded it is. The rate changes once in a period: what a change does shows only then. */
  onLoad(source: MemberId, p99Ms: number | undefined): void {
    const one = this.#of(source);
    one.p99Ms = p99Ms;
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - one.changedAtMs < BULK_RATE_PERIOD_MS) return;
    one.changedAtMs = nowMs;
    const known = [one.p99Ms, this.#deps.p99Ms()].filter((each) => each !== undefined);
    const worst = known.length === 0 ? undefined : Math.max(...known);
    // The floor is that of this receiver: with many sources each is asked for less.
    const bytesPerSecondMin = this.#options.bytesPerSecondMin / this.#sources.size;
    const options = { ...this.#options, bytesPerSecondMin };
    one.rate.bytesPerSecond = nextBulkRate(options, one.rate.bytesPerSecond, worst);
  }

  /** What the first page from that source counts beside its bytes: nothing where nobody asks anything, here or there. */
  stagesBytesOf(source: MemberId): number {
    const { p99Ms, rate } = this.#of(source);
    const isQuiet = p99Ms === undefined && this.#deps.p99Ms() === undefined;
    return isQuiet ? 0 : Math.min(STAGES_BYTES, rate.bytesPerSecond);
  }

  /** Bytes a second that may come from that source. */
  rateOf(source: MemberId): number {
    return this.#of(source).rate.bytesPerSecond;
  }

  #of(source: MemberId): Source {
    const known = this.#sources.get(source);
    if (known !== undefined) return known;
    const { bytesPerSecondMax: bytesPerSecond } = this.#options;
    const rate = { bytesPerSecond };
    const one = { pacer: new Pacer(rate, this.#deps), rate, p99Ms: undefined, changedAtMs: 0 };
    this.#sources.set(source, one);
    return one;
  }
}
