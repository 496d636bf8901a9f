import type { Clock } from '../../ports/clock.ts';
import { type TimeoutBucket, type TimeoutEntry, Timeouts } from './timeouts.ts';

/** Signals end up to this much later than asked for: nobody waits for the answer any more by then. */
const GRAIN_MS = 50;

/** One signal for all work that must end in the same `GRAIN_MS`: a controller for each request would cost more than it. */
export class SharedSignals {
  readonly #clock: Clock;
  readonly #bySlot = new Map<number, SharedSignal>();
  readonly #timeouts: Timeouts<SharedSignal>;
  #isStopped = false;

  constructor(deps: { readonly clock: Clock }) {
    this.#clock = deps.clock;
    this.#timeouts = new Timeouts({ grainMs: GRAIN_MS }, { ...deps, onTimeout: (entry) => this.#end(entry) });
  }

  /** A signal that is aborted `timeoutMs` from now, or a little later. */
  within(timeoutMs: number): AbortSignal {
    const slot = Math.ceil((this.#clock.monotonicMs() + timeoutMs) / GRAIN_MS);
    let shared = this.#bySlot.get(slot);
    if (shared === undefined) {
      shared = new SharedSignal(slot);
      this.#bySlot.set(slot, shared);
      this.#timeouts.add(shared, slot * GRAIN_MS);
    }
    if (this.#isStopped) shared.controller.abort();
    return shared.controller.signal;
  }

  /** Aborts all there are and all that will be. */
  stop(): void {
    this.#isStopped = true;
    for (const shared of [...this.#bySlot.values()]) {
      this.#timeouts.remove(shared);
      this.#end(shared);
    }
  }

  #end(shared: SharedSignal): void {
    this.#bySlot.delete(shared.slot);
    shared.controller.abort();
  }
}

class SharedSignal implements TimeoutEntry<SharedSignal> {
  readonly slot: number;
  readonly controller = new AbortController();
  bucket: TimeoutBucket<SharedSignal> | undefined;
  previous: SharedSignal | undefined;
  next: SharedSignal | undefined;

  constructor(slot: number) {
    this.slot = slot;
  }
}
