import type { ReplicaOutcome } from '../types.ts';
import type { Timeouts } from './timeouts.ts';
import type { Holder, WaitingRequest } from './waiting-request.ts';

export type WaitingLimits = { readonly replicaInFlightMax: number; readonly replicaInFlightBytesMax: number };

/** What waits for one member, by its number, within its limits. A request ends once. */
export class WaitingTable implements Holder {
  readonly #limits: WaitingLimits;
  readonly #timeouts: Timeouts<WaitingRequest>;
  readonly #byId = new Map<number, WaitingRequest>();
  #bytes = 0;
  #lastId = 0;

  constructor(limits: WaitingLimits, deps: { readonly timeouts: Timeouts<WaitingRequest> }) {
    this.#limits = limits;
    this.#timeouts = deps.timeouts;
  }

  get size(): number {
    return this.#byId.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** One request always has room where none waits. */
  hasRoom(bytes: number): boolean {
    const { replicaInFlightMax, replicaInFlightBytesMax } = this.#limits;
    const isFull = this.#byId.size >= replicaInFlightMax || this.#bytes + bytes > replicaInFlightBytesMax;
    return this.#byId.size === 0 || !isFull;
  }

  /** Numbers come round after 2^32 requests: none waits that long. */
  nextId(): number {
    this.#lastId = (this.#lastId + 1) >>> 0;
    return this.#lastId;
  }

  add(waiting: WaitingRequest): void {
    this.#byId.set(waiting.id, waiting);
    this.#bytes += waiting.bytes;
    this.#timeouts.add(waiting, waiting.dueMs);
  }

  get(id: number): WaitingRequest | undefined {
    return this.#byId.get(id);
  }

  end(waiting: WaitingRequest, outcome: ReplicaOutcome): void {
    if (waiting.isEnded) return;
    waiting.isEnded = true;
    waiting.request = undefined;
    this.#byId.delete(waiting.id);
    this.#bytes -= waiting.bytes;
    this.#timeouts.remove(waiting);
    waiting.onEnd(outcome);
  }

  /** All but those of this turn, in the order in which they were asked. */
  sent(): readonly WaitingRequest[] {
    return [...this.#byId.values()].filter(({ request }) => request === undefined);
  }

  endAll(outcome: ReplicaOutcome): void {
    for (const waiting of [...this.#byId.values()]) this.end(waiting, outcome);
  }
}
