import type { Engine, EngineEntry, EngineOperation } from '../../storage/engine.ts';
import { dataRange } from '../../storage/key-layout.ts';
import type { NamespaceStates } from '../../storage/namespaces.ts';
import { removeAll } from './collector.ts';
import { decodeIntact, heldOf, indexKeyOf } from './held.ts';
import type { KeyState } from './key-state.ts';
import { type KeyTable, nameOf } from './key-table.ts';
import type { PartitionState } from './partition-state.ts';
import { addressOf, pagesOf } from './ranges.ts';
import type { Writer } from './writer.ts';

export type NamespaceDropperDeps = {
  readonly engine: Engine;
  readonly table: KeyTable;
  readonly writer: Writer;
  readonly namespaces: NamespaceStates;
  readonly partitions: readonly PartitionState[];
  readonly signal: AbortSignal;
  rebuildTree(partition: PartitionState): void;
};

const PAGE = { entriesMax: 256, bytesMax: 1 << 20 };

/**
 * Deletes the records of a namespace that is no longer served, with their index entries, a page at a time: trees and table
 * follow each record, and the writes of others go in between. Nobody else touches these records: the gate refuses
 * requests, and the collector leaves them alone.
 */
export class NamespaceDropper {
  readonly #deps: NamespaceDropperDeps;

  constructor(deps: NamespaceDropperDeps) {
    this.#deps = deps;
  }

  /** Resolves once all of it is durably gone; rejects when the replica is stopped before. */
  async drop(namespaceId: number): Promise<void> {
    const { namespaces, partitions, engine, signal } = this.#deps;
    if (namespaces.stateOf(namespaceId) === 'served')
      throw new Error(`namespace ${namespaceId} is served: its data is deleted only once it is not`);
    // What was let in before the namespace was withdrawn is settled first; after that nothing is written.
    await Promise.all(partitions.map((partition) => partition.drained()));
    await using view = engine.openView({ reverse: false });
    for (const partition of partitions) {
      const range = dataRange(partition.number, namespaceId, undefined, undefined);
      for await (const entries of pagesOf(view, range, PAGE)) {
        if (signal.aborted)
          throw new Error(
            `the node stops: the data of namespace ${namespaceId} is deleted at the next start`,
          );
        await this.#remove(partition, entries);
      }
    }
  }

  async #remove(partition: PartitionState, entries: readonly EngineEntry[]): Promise<void> {
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
    const state = this.#deps.table.acquire(nameOf(storedKey), partition, address.namespaceId, address.key);
    const record = decodeIntact(storedKey, value);
    operations.push({ type: 'delete', key: storedKey });
    const indexKey = record === undefined ? undefined : indexKeyOf(address, record);
    if (indexKey !== undefined) operations.push({ type: 'delete', key: indexKey });
    // Damage that nobody knew of: whether the tree counts the record is not known.
    if (record === undefined && !state.isDamaged) this.#deps.rebuildTree(partition);
    if (!state.isKnown) state.durable = record === undefined ? undefined : heldOf(record);
    state.isKnown = true;
    return state;
  }
}
