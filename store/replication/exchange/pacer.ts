import type { MemberId } from '../../core/raft/types.ts';
import { type Clock, sleep } from '../../ports/clock.ts';

/** What may go at once after a pause, as time at the given rate. */
const BURST_MS = 100;

/** The rate may change: what waits already waits as long as it was told. */
export type PacerOptions = { readonly bytesPerSecond: number };

/** Holds back whoever would exceed `bytesPerSecond`; first come, first served. */
export class Pacer {
  readonly #options: PacerOptions;
  readonly #clock: Clock;
  #freeAtMs = 0;

  constructor(options: PacerOptions, deps: { readonly clock: Clock }) {
    this.#options = options;
    this.#clock = deps.clock;
  }

  get bytesPerSecond(): number {
    return this.#options.bytesPerSecond;
  }

  /** Resolves when `bytes` more may travel, or at once when `signal` is aborted. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const startMs = Math.max(this.#freeAtMs, nowMs - BURST_MS);
    this.#freeAtMs = startMs + (1000 * bytes) / this.#options.bytesPerSecond;
    if (startMs > nowMs) await sleep(this.#clock, startMs - nowMs, signal);
  }
}

/** One for each member that bytes travel to or from. */
export class Pacers {
  readonly #options: PacerOptions;
  readonly #deps: { readonly clock: Clock };
  readonly #pacers = new Map<MemberId, Pacer>();

  constructor(options: PacerOptions, deps: { readonly clock: Clock }) {
    this.#options = options;
    this.#deps = deps;
  }

  of(member: MemberId): Pacer {
    const pacer = this.#pacers.get(member) ?? new Pacer(this.#options, this.#deps);
    this.#pacers.set(member, pacer);
    return pacer;
  }
}
