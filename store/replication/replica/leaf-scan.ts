import { hashKey } from '../../core/merkle/entry-hash.ts';
import { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import type { TreeShape } from '../../core/merkle/tree-shape.ts';
import type { LeafEntry } from '../../peer/data-messages.ts';
import type { Engine, EngineEntry } from '../../storage/engine.ts';
import type { LeavesQuery } from '../types.ts';
import { decodeIntact } from './held.ts';
import type { PartitionState } from './partition-state.ts';
import { addressOf, dataKeyAfter, pagesOf, partitionRange } from './ranges.ts';

export type LeafScanDeps = {
  readonly engine: Engine;
  /** The record is damaged: look at it again, and note it. Never rejects. */
  recheck(partition: PartitionState, storedKey: Uint8Array): Promise<unknown>;
};

type Listed = { readonly entries: readonly LeafEntry[]; readonly done: boolean };

const PAGE = { entriesMax: 500, bytesMax: 1 << 20 };

/** Finds the records of some leaves by a walk through the partition: the engine orders them by key, not by hash. */
export class LeafScan {
  readonly #deps: LeafScanDeps;
  /** Only to be asked for leaves. */
  readonly #shape: MerkleTree;

  constructor(options: { readonly treeShape: TreeShape }, deps: LeafScanDeps) {
    this.#deps = deps;
    this.#shape = new MerkleTree(options.treeShape);
  }

  /** Up to `entriesMax` entries, at least one where there is one; `done`: there are no more. What is damaged is left out, and noted. */
  async list(partition: PartitionState, query: LeavesQuery): Promise<Listed> {
    const damaged: Uint8Array[] = [];
    const listed = await this.#list(partition, query, damaged);
    for (const storedKey of damaged) await this.#deps.recheck(partition, storedKey);
    return listed;
  }

  async #list(partition: PartitionState, query: LeavesQuery, damaged: Uint8Array[]): Promise<Listed> {
    await using view = this.#deps.engine.openView({ reverse: false });
    const after = query.after === undefined ? undefined : { partition: partition.number, ...query.after };
    const found: LeafEntry[] = [];
    for await (const entries of pagesOf(view, dataKeyAfter(partitionRange(partition.number), after), PAGE)) {
      for (const entry of entries) {
        const leafEntry = this.#entryOf(query, entry, damaged);
        if (leafEntry === undefined) continue;
        if (found.length >= query.entriesMax) return { entries: found, done: false };
        found.push(leafEntry);
      }
    }
    return { entries: found, done: true };
  }

  #entryOf(
    { leaves }: LeavesQuery,
    { key, value }: EngineEntry,
    damaged: Uint8Array[],
  ): LeafEntry | undefined {
    const address = addressOf(key);
    if (!leaves.has(this.#shape.leafOf(hashKey(address.namespaceId, address.key)))) return undefined;
    const record = decodeIntact(key, value);
    if (record === undefined) {
      damaged.push(Uint8Array.from(key));
      return undefined;
    }
    const { version, isTombstone } = record;
    return { namespaceId: address.namespaceId, key: Uint8Array.from(address.key), version, isTombstone };
  }
}
