import { type Clock, sleep } from '../../ports/clock.ts';

/** Shorter waits are not made: they are added up until one is worth a timer. */
const WAIT_MS_MIN = 10;

/** Spreads bytes over time: what is spent now is waited for before the next is. */
export class Pace {
  readonly #options: { readonly bytesPerSecond: number };
  readonly #clock: Clock;
  #freeAtMs: number;

  /** The rate may change meanwhile. */
  constructor(options: { readonly bytesPerSecond: number }, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#freeAtMs = clock.monotonicMs();
  }

  /** Resolves once `bytes` may be sent, or at once when `signal` is aborted. Time that nobody used is not made up for. */
  async spend(bytes: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const waitMs = this.#freeAtMs - nowMs;
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (1000 * bytes) / this.#options.bytesPerSecond;
    if (waitMs >= WAIT_MS_MIN) await sleep(this.#clock, waitMs, signal);
  }
}
