import { equalHashes, hashEntry, hashKey } from '../../core/merkle/entry-hash.ts';
import { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import type { LeafEntry } from '../../peer/data-messages.ts';
import type { OwnedPartition } from '../types.ts';

/** How often in a row leaves must not be the sum of their records before the tree is taken for wrong. */
const MISMATCHES_MAX = 2;

/**
 * Compares leaves with the records that are listed for them, whenever somebody asks: a tree that does not follow its data
 * would report differences for ever (riak_kv#473). Only the side whose tree is wrong notices, and builds it again.
 */
export class TreeAudit {
  readonly #tell: (partition: number) => void;
  readonly #mismatches = new Map<number, number>();

  constructor(deps: { readonly tell: (partition: number) => void }) {
    this.#tell = deps.tell;
  }

  /** Call before the records of `leaves` are listed, and the result with all of them. */
  begin(owned: OwnedPartition, leaves: readonly number[]): (entries: readonly LeafEntry[]) => void {
    const { tree } = owned;
    if (tree === undefined) return () => {};
    const before = leaves.map((leaf) => tree.node(tree.shape.depth, leaf));
    return (entries) => {
      const expected = treeOf(tree, entries);
      const isWrong = leaves.some((leaf, index) => {
        const now = tree.node(tree.shape.depth, leaf);
        const first = before[index];
        // A leaf that changed in between, or is about to, proves nothing.
        if (first === undefined || !equalHashes(first, now) || owned.isInFlight(leaf)) return false;
        return !equalHashes(now, expected.node(tree.shape.depth, leaf));
      });
      this.#note(owned, isWrong);
    };
  }

  #note(owned: OwnedPartition, isWrong: boolean): void {
    const mismatches = isWrong ? (this.#mismatches.get(owned.partition) ?? 0) + 1 : 0;
    this.#mismatches.set(owned.partition, mismatches % MISMATCHES_MAX);
    if (mismatches < MISMATCHES_MAX) return;
    owned.rebuildTree();
    this.#tell(owned.partition);
  }
}

function treeOf({ shape }: MerkleTree, entries: readonly LeafEntry[]): MerkleTree {
  const tree = new MerkleTree(shape);
  for (const { namespaceId, key, version, isTombstone } of entries) {
    const hash = hashKey(namespaceId, key);
    tree.update(hash, undefined, hashEntry(hash, version, isTombstone));
  }
  return tree;
}
