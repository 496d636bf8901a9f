/** Buckets per doubling: a value is off by at most 1/SUB_BUCKETS of itself. */
const SUB_BUCKETS = 128;
const SUB_BITS = 7;

/** The relative error of percentile(): a bucket's upper end is at most this much above what was recorded. */
export const HISTOGRAM_ERROR = 1 / SUB_BUCKETS;

/**
 * Log-linear histogram of whole numbers (here: microseconds): every doubling is cut into the same number of equal
 * buckets, so that its size does not depend on how much is recorded (Gil Tene's HdrHistogram, cut down).
 */
export class Histogram {
  readonly #counts: number[] = [];
  #total = 0;
  #max = 0;

  get total(): number {
    return this.#total;
  }

  get max(): number {
    return this.#max;
  }

  record(value: number): void {
    const whole = Math.max(0, Math.round(value));
    const index = bucketOf(whole);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
    this.#max = Math.max(this.#max, whole);
  }

  /** The smallest value that `share` (0..1) of what was recorded does not exceed, up to HISTOGRAM_ERROR; 0 if empty. */
  percentile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count ?? 0;
      if (seen >= rank) return Math.min(this.#max, bucketEnd(index));
    }
    return this.#max;
  }

  /** How many were recorded below each of the ascending `bounds`, counted apart; the last count is of the rest. */
  countsBelow(bounds: readonly number[]): number[] {
    const counts = new Array<number>(bounds.length + 1).fill(0);
    for (const [index, count] of this.#counts.entries()) {
      const slot = bounds.findIndex((bound) => bucketEnd(index) < bound);
      const at = slot === -1 ? bounds.length : slot;
      counts[at] = (counts[at] ?? 0) + (count ?? 0);
    }
    return counts;
  }
}

function bucketOf(value: number): number {
  if (value < SUB_BUCKETS) return value;
  const shift = Math.floor(Math.log2(value)) - SUB_BITS;
  return (shift + 1) * SUB_BUCKETS + Math.floor(value / 2 ** shift) - SUB_BUCKETS;
}

function bucketEnd(index: number): number {
  if (index < SUB_BUCKETS) return index;
  const shift = Math.floor(index / SUB_BUCKETS) - 1;
  return ((index % SUB_BUCKETS) + SUB_BUCKETS + 1) * 2 ** shift - 1;
}
