import { type EntryHash, hashEntry, hashKey, type KeyHash } from './entry-hash.ts';
import { MerkleTree } from './merkle-tree.ts';
import type { TreeShape } from './tree-shape.ts';

/** What a replica of the tests holds under a key: a version's clock, or a tombstone's. */
export type TestEntry = { readonly wallMs: number; readonly isTombstone: boolean };
export type TestData = ReadonlyMap<string, TestEntry>;

export function testKeyHash(key: string): KeyHash {
  return hashKey(1, new TextEncoder().encode(key));
}

export function testEntryHash(key: string, entry: TestEntry | undefined): EntryHash | undefined {
  if (entry === undefined) return undefined;
  return hashEntry(testKeyHash(key), { wallMs: entry.wallMs, counter: 0, member: 1 }, entry.isTombstone);
}

/** The tree of `data`, built in the order of the map. */
export function treeOf(shape: TreeShape, data: TestData): MerkleTree {
  const tree = new MerkleTree(shape);
  for (const [key, entry] of data) tree.update(testKeyHash(key), undefined, testEntryHash(key, entry));
  return tree;
}
