import type { Clock, Timer } from '../../store/ports/clock.ts';
import { type BackOffOptions, backOffMs } from './back-off.ts';
import { RateBucket, type RateBucketOptions } from './rate-bucket.ts';

export type WorkQueueOptions = {
  /** Of a key that fails again and again. Default 5 ms to 1000 s. */
  readonly backOff?: BackOffOptions;
  /** Of all retries together. Default 10 a second, 100 at once. */
  readonly bucket?: RateBucketOptions;
};

/** Told of what goes through a queue. */
export type QueueObserver = {
  onAdded?(): void;
  onRetried?(): void;
  /** A key was handed out after it had waited. */
  onTaken?(waitedSeconds: number): void;
  /** The work on a key is over. */
  onDone?(workedSeconds: number): void;
};

const BACK_OFF: BackOffOptions = { firstMs: 5, maxMs: 1_000_000 };
const BUCKET: RateBucketOptions = { perSecond: 10, burst: 100 };

type Delayed = { readonly dueMs: number; readonly timer: Timer };

/**
 * Keys that want work. A key is handed out to one worker at a time: added again meanwhile, it is handed out once more
 * when that work is done, however often it was added. What was delayed is kept at its earliest time, once per key.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #observer: QueueObserver;
  readonly #backOff: BackOffOptions;
  readonly #bucket: RateBucket;
  /** Keys that wait, in the order of their arrival, and since when. */
  readonly #waiting = new Map<string, number>();
  /** Keys that are worked on, and since when. */
  readonly #working = new Map<string, number>();
  /** Keys of #working that were added again. */
  readonly #again = new Map<string, number>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #isStopped = false;

  constructor(options: WorkQueueOptions, deps: { readonly clock: Clock; readonly observer?: QueueObserver }) {
    this.#clock = deps.clock;
    this.#observer = deps.observer ?? {};
    this.#backOff = options.backOff ?? BACK_OFF;
    this.#bucket = new RateBucket(options.bucket ?? BUCKET, deps);
  }

  /** Keys that wait now, without those that are delayed. */
  get depth(): number {
    return this.#waiting.size;
  }

  get delayed(): number {
    return this.#delayed.size;
  }

  /** How long the longest work under way has taken. */
  get longestWorkMs(): number {
    const nowMs = this.#clock.monotonicMs();
    return Math.max(0, ...[...this.#working.values()].map((sinceMs) => nowMs - sinceMs));
  }

  /** Failures of a key since it was last forgotten. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  add(key: string): void {
    if (this.#isStopped || this.#waiting.has(key) || this.#again.has(key)) return;
    this.#observer.onAdded?.();
    const nowMs = this.#clock.monotonicMs();
    if (this.#working.has(key)) {
      this.#again.set(key, nowMs);
      return;
    }
    this.#waiting.set(key, nowMs);
    this.#handOut();
  }

  addAfter(key: string, delayMs: number): void {
    if (this.#isStopped) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#clock.monotonicMs() + delayMs;
    const known = this.#delayed.get(key);
    if (known !== undefined && known.dueMs <= dueMs) return;
    known?.timer.cancel();
    const fire = (): void => {
      this.#delayed.delete(key);
      this.add(key);
    };
    this.#delayed.set(key, { dueMs, timer: this.#clock.setTimer(delayMs, fire) });
  }

  /** After a failure: the more in a row, the later; never before `atLeastMs`. */
  addRateLimited(key: string, atLeastMs = 0): void {
    if (this.#isStopped) return;
    this.#observer.onRetried?.();
    const failures = this.failures(key) + 1;
    this.#failures.set(key, failures);
    this.addAfter(key, Math.max(backOffMs(failures, this.#backOff), this.#bucket.reserve(), atLeastMs));
  }

  /** The key did well: its next failure is its first. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, which is the caller's until `done`. Undefined when the queue was stopped. */
  take(): Promise<string | undefined> {
    return new Promise((resolve) => {
      if (this.#isStopped) return resolve(undefined);
      this.#takers.push(resolve);
      this.#handOut();
    });
  }

  done(key: string): void {
    const sinceMs = this.#working.get(key);
    if (sinceMs === undefined) throw new Error(`work on '${key}' is done, but nobody took it`);
    const nowMs = this.#clock.monotonicMs();
    this.#working.delete(key);
    this.#observer.onDone?.((nowMs - sinceMs) / 1000);
    const againMs = this.#again.get(key);
    if (againMs === undefined) return;
    this.#again.delete(key);
    this.#waiting.set(key, againMs);
    this.#handOut();
  }

  /** Hands out nothing more and takes nothing more in. */
  stop(): void {
    this.#isStopped = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    for (const keys of [this.#delayed, this.#waiting, this.#again]) keys.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #handOut(): void {
    for (const [key, sinceMs] of this.#waiting) {
      const taker = this.#takers.shift();
      if (taker === undefined) return;
      const nowMs = this.#clock.monotonicMs();
      this.#waiting.delete(key);
      this.#working.set(key, nowMs);
      this.#observer.onTaken?.((nowMs - sinceMs) / 1000);
      taker(key);
    }
  }
}
