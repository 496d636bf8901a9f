import { Heap } from '../core/heap/heap.ts';
import type { Clock, Timer } from '../ports/clock.ts';

/** Cancelled once it has no callback: it leaves the heap when its time comes. */
type Pending = { readonly dueMs: number; readonly order: number; callback: (() => void) | undefined };

/**
 * A clock that stands still until it is told to move. Timers fire in the order of their times, equal ones in the
 * order in which they were set, each at its own time. Wall time can be set either way and runs on from there.
 */
export class SimClock implements Clock {
  readonly #timers = new Heap<Pending>(
    (a, b) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order),
  );
  #monotonicMs = 0;
  #wallOffsetMs: number;
  #order = 0;

  constructor(wallMs = 0) {
    this.#wallOffsetMs = wallMs;
  }

  nowMs(): number {
    return this.#monotonicMs + this.#wallOffsetMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const pending: Pending = {
      dueMs: this.#monotonicMs + Math.max(0, delayMs),
      order: this.#order++,
      callback,
    };
    this.#timers.push(pending);
    return {
      cancel: () => {
        pending.callback = undefined;
      },
    };
  }

  /** Moves wall time, either way, without moving monotonic time. */
  setWall(wallMs: number): void {
    this.#wallOffsetMs = wallMs - this.#monotonicMs;
  }

  /** Monotonic time of the next timer; undefined when none is set. */
  nextDueMs(): number | undefined {
    while (this.#timers.size > 0 && this.#timers.peek()?.callback === undefined) this.#timers.pop();
    return this.#timers.peek()?.dueMs;
  }

  /** Lets `durationMs` pass, firing what falls due on the way, also what that sets. */
  advance(durationMs: number): void {
    const untilMs = this.#monotonicMs + durationMs;
    for (let dueMs = this.nextDueMs(); dueMs !== undefined && dueMs <= untilMs; dueMs = this.nextDueMs()) {
      this.#monotonicMs = dueMs;
      this.#timers.pop()?.callback?.();
    }
    this.#monotonicMs = untilMs;
  }
}
