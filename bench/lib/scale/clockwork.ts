import { Heap } from '../../../store/core/heap/heap.ts';

type Event = { readonly atMicros: number; readonly order: number; readonly run: () => void };

/** Virtual time in microseconds: events in the order of their times, equal ones in the order in which they were made. */
export class Clockwork {
  readonly #events = new Heap<Event>(
    (a, b) => a.atMicros < b.atMicros || (a.atMicros === b.atMicros && a.order < b.order),
  );
  nowMicros = 0;
  #order = 0;

  after(micros: number, run: () => void): void {
    this.#events.push({ atMicros: this.nowMicros + micros, order: this.#order++, run });
  }

  runUntil(untilMicros: number): void {
    for (let next = this.#events.peek(); next !== undefined && next.atMicros <= untilMicros; ) {
      this.#events.pop();
      this.nowMicros = next.atMicros;
      next.run();
      next = this.#events.peek();
    }
    this.nowMicros = untilMicros;
  }
}
