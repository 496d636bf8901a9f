import type { Clock } from '../../store/ports/clock.ts';

export type RateBucketOptions = {
  readonly perSecond: number;
  /** So many may pass at once after a time of rest. */
  readonly burst: number;
};

/** A bucket of tokens: one per pass, refilled steadily. */
export class RateBucket {
  readonly #options: RateBucketOptions;
  readonly #clock: Clock;
  #tokens: number;
  #atMs: number;

  constructor(options: RateBucketOptions, deps: { readonly clock: Clock }) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#tokens = options.burst;
    this.#atMs = deps.clock.monotonicMs();
  }

  /** Takes a token in any case, and says in how many milliseconds it is really there. */
  reserve(): number {
    this.#refill();
    this.#tokens--;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#options.perSecond) * 1000;
  }

  /** Takes a token only if one is there. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  #refill(): void {
    const nowMs = this.#clock.monotonicMs();
    const { burst, perSecond } = this.#options;
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * perSecond);
    this.#atMs = nowMs;
  }
}
