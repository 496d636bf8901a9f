/**
 * The p99 of the last second or two, from counts in buckets that grow by a quarter: what it says is at most that much too high.
 */
export class LatencyWindow {
  /** Of the turn under way, and of the one before. */
  #now = newCounts();
  #before = newCounts();
  #turn = 0;

  add(nowMs: number, latencyMs: number): void {
    this.#roll(nowMs);
    const place = Math.ceil(Math.log(Math.max(latencyMs, LEAST_MS) / LEAST_MS) / LOG_GROWTH);
    const bucket = Math.min(BUCKETS - 1, place);
    this.#now[bucket] = (this.#now[bucket] as number) + 1;
  }

  /** Undefined where there were too few to speak of a p99. */
  p99Ms(nowMs: number): number | undefined {
    this.#roll(nowMs);
    const counts = this.#now.map((count, bucket) => count + (this.#before[bucket] as number));
    const all = counts.reduce((sum, count) => sum + count, 0);
    if (all < SAMPLES_MIN) return undefined;
    let above = Math.floor(all / 100);
    for (let bucket = BUCKETS - 1; bucket >= 0; bucket--) {
      above -= counts[bucket] as number;
      if (above < 0) return LEAST_MS * GROWTH ** bucket;
    }
    return LEAST_MS;
  }

  #roll(nowMs: number): void {
    const turn = Math.floor(nowMs / TURN_MS);
    if (turn === this.#turn) return;
    this.#before = turn === this.#turn + 1 ? this.#now : newCounts();
    this.#now = newCounts();
    this.#turn = turn;
  }
}

const TURN_MS = 1000;
const SAMPLES_MIN = 20;
const LEAST_MS = 0.1;
const GROWTH = 1.25;
const LOG_GROWTH = Math.log(GROWTH);
const BUCKETS = 64;

const newCounts = (): Uint32Array => new Uint32Array(BUCKETS);
