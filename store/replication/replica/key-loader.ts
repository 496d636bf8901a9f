import type { Engine } from '../../storage/engine.ts';
import type { Damage } from './damage.ts';
import { decodeIntact, heldOf } from './held.ts';
import type { KeyState, LoadWaiter } from './key-state.ts';
import type { RecordCache } from './record-cache.ts';

export type KeyLoaderDeps = {
  readonly engine: Engine;
  readonly damage: Damage;
  readonly records: RecordCache;
};

/**
 * Looks a key up in the engine, once for all that wait for it. No write of the key is issued before it is known, so what
 * the engine answers is exact.
 */
export class KeyLoader {
  readonly #deps: KeyLoaderDeps;

  constructor(deps: KeyLoaderDeps) {
    this.#deps = deps;
  }

  /** Calls `waiter` once `state` is known, in this turn where it is already; the caller keeps it in use until then. */
  know(state: KeyState, storedKey: Uint8Array, waiter: LoadWaiter): void {
    if (state.isKnown) waiter(undefined, undefined);
    else if (state.loading !== undefined) state.loading.push(waiter);
    else this.#load(state, storedKey, waiter);
  }

  #load(state: KeyState, storedKey: Uint8Array, first: LoadWaiter): void {
    const waiters = [first];
    state.loading = waiters;
    this.#deps.engine.get(storedKey).then(
      (stored) => {
        state.loading = undefined;
        if (!state.isKnown) this.#learn(state, storedKey, stored);
        for (const waiter of waiters) waiter(undefined, stored);
      },
      (error: unknown) => {
        state.loading = undefined;
        for (const waiter of waiters) waiter(error as Error, undefined);
      },
    );
  }

  #learn(state: KeyState, storedKey: Uint8Array, stored: Uint8Array | undefined): void {
    if (stored !== undefined) {
      const record = decodeIntact(storedKey, stored);
      if (record === undefined) {
        this.#deps.damage.found(state);
        return;
      }
      state.durable = heldOf(record);
      this.#deps.records.keep(state, stored);
    }
    state.isKnown = true;
  }
}
