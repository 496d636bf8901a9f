import type { Engine } from '../../storage/engine.ts';
import type { Damage } from './damage.ts';
import { decodeHeld, type Held } from './held.ts';
import type { KeyLoader } from './key-loader.ts';
import type { KeyState } from './key-state.ts';
import type { KeyTable } from './key-table.ts';
import type { PartitionState } from './partition-state.ts';
import { addressOf } from './ranges.ts';

export type KeyInspectorDeps = {
  readonly engine: Engine;
  readonly table: KeyTable;
  readonly loader: KeyLoader;
  readonly damage: Damage;
};

export type Inspected =
  | { readonly type: 'absent' | 'damaged' }
  | { readonly type: 'intact'; readonly held: Held; readonly bytes: number };

/** A record may be replaced under the look at it so often; then the look was not at a damaged one. */
const LOOKS_MAX = 8;

/** Reads what is stored under a key past the table's knowledge, and notes damage. */
export class KeyInspector {
  readonly #deps: KeyInspectorDeps;

  constructor(deps: KeyInspectorDeps) {
    this.#deps = deps;
  }

  async look(partition: PartitionState, storedKey: Uint8Array): Promise<Inspected> {
    const { namespaceId, key } = addressOf(storedKey);
    const { table } = this.#deps;
    const state = table.acquire(storedKey, partition, { namespaceId, key });
    try {
      await this.known(state, storedKey);
      return await this.#look(state, storedKey);
    } finally {
      table.release(state);
    }
  }

  /** Resolves once the state, which the caller keeps in use, is known. */
  known(state: KeyState, storedKey: Uint8Array): Promise<void> {
    if (state.isKnown) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#deps.loader.know(state, storedKey, (failure) => {
        if (failure === undefined) resolve();
        else reject(failure);
      });
    });
  }

  async #look(state: KeyState, storedKey: Uint8Array): Promise<Inspected> {
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const before = state.durable;
      if (state.isDamaged) return { type: 'damaged' };
      if (before === undefined) return { type: 'absent' };
      const stored = await this.#deps.engine.get(storedKey);
      const held = stored === undefined ? undefined : decodeHeld(storedKey, stored);
      if (held !== undefined) return { type: 'intact', held, bytes: stored?.length ?? 0 };
      if (!state.isChanging && state.durable === before) this.#deps.damage.found(state);
    }
    throw new Error('the record is being replaced all the time: look again');
  }
}
