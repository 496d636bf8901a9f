import { compareBytes, successor } from '../../core/bytes/bytes.ts';
import type { Engine, EnginePage } from '../../storage/engine.ts';
import { keyName } from '../../storage/key-name.ts';
import type { Damage } from './damage.ts';
import { decodeHeld } from './held.ts';
import type { KeyState, LoadWaiter } from './key-state.ts';
import type { RecordCache } from './record-cache.ts';

export type KeyLoaderDeps = {
  readonly engine: Engine;
  readonly damage: Damage;
  readonly records: RecordCache;
};

export type KeyToKnow = { readonly state: KeyState; readonly storedKey: Uint8Array };

/** Of what lies between keys that are looked up together; beyond it each is looked up by itself. */
const BETWEEN_ENTRIES_MAX = 64;
const BETWEEN_BYTES_MAX = 1 << 20;

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

  /**
   * Resolves once all of `keys` are known, or with why one is not; the caller keeps them in use until then. Keys in their order,
   * among which the engine holds little, as those of a page of the bulk, cost one read of the range that they lie in.
   */
  async knowAll(keys: readonly KeyToKnow[]): Promise<Error | undefined> {
    const open = keys.filter(({ state }) => !state.isKnown && state.loading === undefined);
    if (open.length > 1 && isInOrder(open)) await this.#loadRange(open);
    return await new Promise((resolve) => {
      let left = keys.length;
      let failure: Error | undefined;
      if (left === 0) resolve(undefined);
      for (const { state, storedKey } of keys)
        this.know(state, storedKey, (error) => {
          failure ??= error;
          left -= 1;
          if (left === 0) resolve(failure);
        });
    });
  }

  /** What the range does not tell, or a failure leaves open, stays unknown. */
  async #loadRange(open: readonly KeyToKnow[]): Promise<void> {
    const waiters = open.map(({ state }) => {
      state.loading = [];
      return state.loading;
    });
    const page = await this.#readRange(open).catch(() => undefined);
    const found = new Map(page?.entries.map(({ key, value }) => [keyName(key), value]));
    const last = page?.entries.at(-1)?.key;
    for (const [i, { state, storedKey }] of open.entries()) {
      state.loading = undefined;
      const isTold = page?.done === true || (last !== undefined && compareBytes(storedKey, last) <= 0);
      const seen = found.get(state.name);
      const stored = seen && Uint8Array.from(seen);
      if (isTold && !state.isKnown) this.#learn(state, storedKey, stored);
      for (const waiter of waiters[i] as LoadWaiter[])
        if (isTold) waiter(undefined, stored);
        else this.know(state, storedKey, waiter);
    }
  }

  async #readRange(open: readonly KeyToKnow[]): Promise<EnginePage> {
    const [first, last] = [open[0] as KeyToKnow, open.at(-1) as KeyToKnow];
    await using view = this.#deps.engine.openView({ reverse: false });
    const range = { start: first.storedKey, end: successor(last.storedKey) };
    return await view.page(range, { entriesMax: BETWEEN_ENTRIES_MAX, bytesMax: BETWEEN_BYTES_MAX });
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
      const held = decodeHeld(storedKey, stored);
      if (held === undefined) {
        this.#deps.damage.found(state);
        return;
      }
      state.durable = held;
      this.#deps.records.keep(state, stored);
    }
    state.isKnown = true;
  }
}

function isInOrder(keys: readonly KeyToKnow[]): boolean {
  let before: Uint8Array | undefined;
  for (const { storedKey } of keys) {
    if (before !== undefined && compareBytes(before, storedKey) >= 0) return false;
    before = storedKey;
  }
  return true;
}
