import type { Engine } from '../../storage/engine.ts';
import { dataRange } from '../../storage/key-layout.ts';
import type { NamespaceStates } from '../../storage/namespaces.ts';
import type { PartitionState } from './partition-state.ts';
import { pagesOf } from './ranges.ts';
import { REMOVED_PAGE, type RecordRemover } from './record-remover.ts';

export type NamespaceDropperDeps = {
  readonly engine: Engine;
  readonly namespaces: NamespaceStates;
  readonly partitions: readonly PartitionState[];
  readonly signal: AbortSignal;
  readonly remover: RecordRemover;
};

/**
 * Deletes the records of a namespace that is no longer served, a page at a time; the writes of others go in between. Nobody else touches these records: the gate refuses
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
      for await (const entries of pagesOf(view, range, REMOVED_PAGE)) {
        if (signal.aborted)
          throw new Error(
            `the node stops: the data of namespace ${namespaceId} is deleted at the next start`,
          );
        await this.#deps.remover.remove(partition, entries);
      }
    }
  }
}
