import type { EngineEntry, EngineOperation } from '../../storage/engine.ts';
import { removeAll } from './collector.ts';
import { decodeHeld, indexKeyOf } from './held.ts';
import type { KeyState } from './key-state.ts';
import type { KeyTable } from './key-table.ts';
import type { PartitionState } from './partition-state.ts';
import { addressOf } from './ranges.ts';
import type { Writer } from './writer.ts';

export type RecordRemoverDeps = {
  readonly table: KeyTable;
  readonly writer: Writer;
  rebuildTree(partition: PartitionState): void;
};

/** Records that are removed in one batch. */
export const REMOVED_PAGE = { entriesMax: 256, bytesMax: 1 << 20 };

/** Takes whole records away that nobody may write any more; trees and table follow each of them. */
export class RecordRemover {
  readonly #deps: RecordRemoverDeps;

  constructor(deps: RecordRemoverDeps) {
    this.#deps = deps;
  }

  /** Resolves once the records, and their index entries, are durably gone. */
  async remove(partition: PartitionState, entries: readonly EngineEntry[]): Promise<void> {
    const operations: EngineOperation[] = [];
    const states = entries.map((entry) => this.#take(partition, entry, operations));
    try {
      await removeAll(this.#deps.writer, operations, states);
    } finally {
      for (const state of states) this.#deps.table.release(state);
    }
  }

  /** The key's state, known from what the view shows; what removes the record goes to `operations`. */
  #take(partition: PartitionState, { key, value }: EngineEntry, operations: EngineOperation[]): KeyState {
    const storedKey = Uint8Array.from(key);
    const address = addressOf(storedKey);
    const state = this.#deps.table.acquire(storedKey, partition, address);
    const held = decodeHeld(storedKey, value);
    operations.push({ type: 'delete', key: storedKey });
    const indexKey = held === undefined ? undefined : indexKeyOf(address, held);
    if (indexKey !== undefined) operations.push({ type: 'delete', key: indexKey });
    // Damage that nobody knew of: whether the tree counts the record is not known.
    if (held === undefined && !state.isDamaged) this.#deps.rebuildTree(partition);
    if (!state.isKnown) state.durable = held;
    state.isKnown = true;
    return state;
  }
}
