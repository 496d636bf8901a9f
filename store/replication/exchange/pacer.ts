import { type Clock, sleep } from '../../ports/clock.ts';

/** What may go at once after a pause, as time at the given rate. */
const BURST_MS = 100;

/** Holds back whoever would exceed `bytesPerSecond`; first come, first served. */
export class Pacer {
  readonly #bytesPerSecond: number;
  readonly #clock: Clock;
  #freeAtMs = 0;

  constructor(options: { readonly bytesPerSecond: number }, deps: { readonly clock: Clock }) {
    this.#bytesPerSecond = options.bytesPerSecond;
    this.#clock = deps.clock;
  }

  /** Resolves when `bytes` more may travel, or at once when `signal` is aborted. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const startMs = Math.max(this.#freeAtMs, nowMs - BURST_MS);
    this.#freeAtMs = startMs + (1000 * bytes) / this.#bytesPerSecond;
    if (startMs > nowMs) await sleep(this.#clock, startMs - nowMs, signal);
  }
}
