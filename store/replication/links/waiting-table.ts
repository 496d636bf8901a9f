import type { ReplicaOutcome } from '../types.ts';
import type { Timeouts } from './timeouts.ts';
import type { Holder, WaitingRequest } from './waiting-request.ts';

export type WaitingLimits = { readonly replicaInFlightMax: number; readonly replicaInFlightBytesMax: number };

const BUCKETS_MIN = 64;

/**
 * What waits for one member, by its number, within its limits. A request ends once. Numbers follow each other, so that their low bits
 * spread them over lists of one or two; why it is no Map stands at `DenseSet`.
 */
export class WaitingTable implements Holder {
  readonly #limits: WaitingLimits;
  readonly #timeouts: Timeouts<WaitingRequest>;
  #buckets: (WaitingRequest | undefined)[] = emptyBuckets(BUCKETS_MIN);
  #size = 0;
  #bytes = 0;
  #lastId = 0;

  constructor(limits: WaitingLimits, deps: { readonly timeouts: Timeouts<WaitingRequest> }) {
    this.#limits = limits;
    this.#timeouts = deps.timeouts;
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** One request always has room where none waits. */
  hasRoom(bytes: number): boolean {
    const { replicaInFlightMax, replicaInFlightBytesMax } = this.#limits;
    const isFull = this.#size >= replicaInFlightMax || this.#bytes + bytes > replicaInFlightBytesMax;
    return this.#size === 0 || !isFull;
  }

  /** Numbers come round after 2^32 requests: none waits that long. */
  nextId(): number {
    this.#lastId = (this.#lastId + 1) >>> 0;
    return this.#lastId;
  }

  add(waiting: WaitingRequest): void {
    if (this.#size === this.#buckets.length) this.#grow();
    this.#link(waiting);
    this.#size += 1;
    this.#bytes += waiting.bytes;
    this.#timeouts.add(waiting, waiting.dueMs);
  }

  get(id: number): WaitingRequest | undefined {
    let found = this.#buckets[this.#bucketOf(id)];
    while (found !== undefined && found.id !== id) found = found.nextInTable;
    return found;
  }

  end(waiting: WaitingRequest, outcome: ReplicaOutcome): void {
    if (waiting.isEnded) return;
    waiting.isEnded = true;
    waiting.request = undefined;
    this.#unlink(waiting);
    this.#size -= 1;
    this.#bytes -= waiting.bytes;
    this.#timeouts.remove(waiting);
    waiting.onEnd(outcome);
  }

  /** All but those of this turn, in the order in which they were asked. */
  sent(): readonly WaitingRequest[] {
    return this.#all().filter(({ request }) => request === undefined);
  }

  endAll(outcome: ReplicaOutcome): void {
    for (const waiting of this.#all()) this.end(waiting, outcome);
  }

  #all(): WaitingRequest[] {
    const all: WaitingRequest[] = [];
    for (const first of this.#buckets)
      for (let waiting = first; waiting !== undefined; waiting = waiting.nextInTable) all.push(waiting);
    const age = ({ id }: WaitingRequest): number => (this.#lastId - id) >>> 0;
    return all.sort((a, b) => age(b) - age(a));
  }

  #bucketOf(id: number): number {
    return id & (this.#buckets.length - 1);
  }

  #link(waiting: WaitingRequest): void {
    const bucket = this.#bucketOf(waiting.id);
    waiting.nextInTable = this.#buckets[bucket];
    this.#buckets[bucket] = waiting;
  }

  #unlink(waiting: WaitingRequest): void {
    const bucket = this.#bucketOf(waiting.id);
    const first = this.#buckets[bucket];
    if (first === waiting) this.#buckets[bucket] = waiting.nextInTable;
    else {
      let before = first;
      while (before !== undefined && before.nextInTable !== waiting) before = before.nextInTable;
      if (before !== undefined) before.nextInTable = waiting.nextInTable;
    }
    waiting.nextInTable = undefined;
  }

  #grow(): void {
    const all = this.#all();
    this.#buckets = emptyBuckets(2 * this.#buckets.length);
    for (const waiting of all) this.#link(waiting);
  }
}

function emptyBuckets(count: number): (WaitingRequest | undefined)[] {
  return new Array<WaitingRequest | undefined>(count).fill(undefined);
}
