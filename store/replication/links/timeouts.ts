import { Heap } from '../../core/heap/heap.ts';
import type { Clock, Timer } from '../../ports/clock.ts';

/** What can time out. Its fields are those of the list that it is in; only `Timeouts` writes them. */
export type TimeoutEntry<T> = {
  bucket: TimeoutBucket<T> | undefined;
  previous: T | undefined;
  next: T | undefined;
};

export type TimeoutBucket<T> = { readonly slot: number; first: T | undefined };

export type TimeoutsOptions = {
  /** Timeouts are rounded up to whole grains. */
  readonly grainMs: number;
};

export type TimeoutsDeps<T> = {
  readonly clock: Clock;
  /** The entry was not removed in time; it is in no list any more. */
  onTimeout(entry: T): void;
};

/** A timer may fire a little early: set again for what is left, without a least delay, it might never get there. */
const DELAY_MS_MIN = 1;

/**
 * Many timeouts on one timer of the clock. Entries that end in the same grain share a list, so that adding and removing one
 * costs a few assignments; most are removed, and then the timer has nothing to do but to look for the next list.
 */
export class Timeouts<T extends TimeoutEntry<T>> {
  readonly #grainMs: number;
  readonly #deps: TimeoutsDeps<T>;
  readonly #buckets = new Map<number, TimeoutBucket<T>>();
  readonly #order = new Heap<TimeoutBucket<T>>((a, b) => a.slot < b.slot);
  #timer: Timer | undefined;
  #timerSlot = Number.POSITIVE_INFINITY;

  constructor({ grainMs }: TimeoutsOptions, deps: TimeoutsDeps<T>) {
    this.#grainMs = grainMs;
    this.#deps = deps;
  }

  /** `dueMs` is of the monotonic clock. */
  add(entry: T, dueMs: number): void {
    const slot = Math.ceil(dueMs / this.#grainMs);
    const bucket = this.#buckets.get(slot) ?? this.#addBucket(slot);
    entry.bucket = bucket;
    entry.previous = undefined;
    entry.next = bucket.first;
    if (bucket.first !== undefined) bucket.first.previous = entry;
    bucket.first = entry;
  }

  /** Does nothing to an entry that is in no list. */
  remove(entry: T): void {
    const { bucket, previous, next } = entry;
    if (bucket === undefined) return;
    if (previous === undefined) bucket.first = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    entry.bucket = undefined;
    entry.previous = undefined;
    entry.next = undefined;
  }

  #addBucket(slot: number): TimeoutBucket<T> {
    const bucket: TimeoutBucket<T> = { slot, first: undefined };
    this.#buckets.set(slot, bucket);
    this.#order.push(bucket);
    if (slot < this.#timerSlot) this.#arm(slot);
    return bucket;
  }

  #arm(slot: number): void {
    const { clock } = this.#deps;
    this.#timer?.cancel();
    this.#timerSlot = slot;
    const delayMs = Math.max(DELAY_MS_MIN, slot * this.#grainMs - clock.monotonicMs());
    this.#timer = clock.setTimer(delayMs, () => this.#onTimer());
  }

  #onTimer(): void {
    this.#timer = undefined;
    this.#timerSlot = Number.POSITIVE_INFINITY;
    const nowMs = this.#deps.clock.monotonicMs();
    for (let bucket = this.#order.peek(); bucket !== undefined; bucket = this.#order.peek()) {
      if (bucket.first !== undefined && bucket.slot * this.#grainMs > nowMs) {
        // What was told of a timeout may have armed the timer by asking again.
        if (bucket.slot < this.#timerSlot) this.#arm(bucket.slot);
        return;
      }
      this.#order.pop();
      this.#buckets.delete(bucket.slot);
      this.#end(bucket);
    }
  }

  #end(bucket: TimeoutBucket<T>): void {
    for (let entry = bucket.first; entry !== undefined; entry = bucket.first) {
      this.remove(entry);
      this.#deps.onTimeout(entry);
    }
  }
}
