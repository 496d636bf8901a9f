import { Heap } from '../core/heap/heap.ts';

/** Lets everything run that is ready; resolves when no microtask is left. The world's (io/settle.ts), since only it can. */
export type Settle = () => Promise<void>;

export type Scheduled = { cancel(): void };

type Event = { readonly dueMs: number; readonly order: number; run: (() => void) | undefined };

/**
 * The one virtual time of a simulation. Events run in the order of their times, equal ones in the order in which
 * they were made; between two of them everything that became ready runs to its end, so that nodes written with
 * promises are as deterministic as the events are (microtasks are first in, first out).
 */
export class Timeline {
  readonly #events = new Heap<Event>(
    (a, b) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order),
  );
  readonly #settle: Settle;
  #nowMs = 0;
  #order = 0;
  eventsRun = 0;

  constructor(settle: Settle) {
    this.#settle = settle;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Scheduled {
    const event: Event = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#events.push(event);
    return {
      cancel: () => {
        event.run = undefined;
      },
    };
  }

  /** Runs what falls due up to `untilMs`, or until `isOver` says so after an event. */
  async runUntil(untilMs: number, isOver: () => boolean): Promise<void> {
    await this.#settle();
    for (let next = this.#events.peek(); next !== undefined && next.dueMs <= untilMs; ) {
      this.#events.pop();
      if (next.run !== undefined) {
        this.#nowMs = next.dueMs;
        this.eventsRun += 1;
        next.run();
        await this.#settle();
        if (isOver()) return;
      }
      next = this.#events.peek();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }
}
