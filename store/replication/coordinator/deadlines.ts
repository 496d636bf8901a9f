import { Heap } from '../../core/heap/heap.ts';
import type { Clock, Timer } from '../../ports/clock.ts';

export type Deadline = { cancel(): void };

/** What falls due within one millisecond, as a ring: what is cancelled leaves at once and keeps nothing alive. */
class Entry implements Deadline {
  before: Entry = this;
  after: Entry = this;
  callback: (() => void) | undefined;

  constructor(callback: (() => void) | undefined) {
    this.callback = callback;
  }

  cancel(): void {
    this.callback = undefined;
    this.before.after = this.after;
    this.after.before = this.before;
    this.before = this;
    this.after = this;
  }

  append(entry: Entry): void {
    entry.before = this.before;
    entry.after = this;
    this.before.after = entry;
    this.before = entry;
  }
}

/**
 * The deadlines of all requests on one timer of the clock: a timer for each would cost more than the request. To set and to
 * cancel one costs the same however many there are. None is called before its time, or later than a millisecond after it
 * by fault of this.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #rings = new Map<number, Entry>();
  readonly #dueMs = new Heap<number>((a, b) => a < b);
  #timer: { readonly dueMs: number; readonly timer: Timer } | undefined;
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `callback` once the monotonic clock has reached `atMs`, or at the stop, unless it was cancelled. */
  set(atMs: number, callback: () => void): Deadline {
    const entry = new Entry(callback);
    if (this.#isStopped) {
      queueMicrotask(() => entry.callback?.());
      return entry;
    }
    const dueMs = Math.ceil(atMs);
    let ring = this.#rings.get(dueMs);
    if (ring === undefined) {
      ring = new Entry(undefined);
      this.#rings.set(dueMs, ring);
      this.#dueMs.push(dueMs);
    }
    ring.append(entry);
    if (this.#timer === undefined || dueMs < this.#timer.dueMs) this.#setTimer(dueMs);
    return entry;
  }

  /** Deadlines that are set and have neither come nor been cancelled. */
  get size(): number {
    let size = 0;
    for (const ring of this.#rings.values())
      for (let entry = ring.after; entry !== ring; entry = entry.after) size += 1;
    return size;
  }

  /** Time is over: all are called now, and what is set later in a microtask. So whoever waits for something is let go. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    const rings = [...this.#rings.values()];
    this.#rings.clear();
    for (const ring of rings) callAll(ring);
  }

  #setTimer(dueMs: number): void {
    this.#timer?.timer.cancel();
    const delayMs = Math.max(0, dueMs - this.#clock.monotonicMs());
    this.#timer = { dueMs, timer: this.#clock.setTimer(delayMs, () => this.#fire()) };
  }

  #fire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    while (!this.#isStopped) {
      const dueMs = this.#dueMs.peek();
      if (dueMs === undefined) return;
      const ring = this.#rings.get(dueMs) as Entry;
      const isEmpty = ring.after === ring;
      if (!isEmpty && dueMs > nowMs) break;
      this.#dueMs.pop();
      this.#rings.delete(dueMs);
      callAll(ring);
    }
    const nextMs = this.#dueMs.peek();
    // A callback may have set the timer for something later than what is left.
    const timedMs = (this.#timer as { readonly dueMs: number } | undefined)?.dueMs;
    if (nextMs !== undefined && !this.#isStopped && (timedMs === undefined || nextMs < timedMs))
      this.#setTimer(nextMs);
  }
}

function callAll(ring: Entry): void {
  while (ring.after !== ring) {
    const { after } = ring;
    const { callback } = after;
    after.cancel();
    callback?.();
  }
}
