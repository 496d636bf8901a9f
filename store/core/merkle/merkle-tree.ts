import { type EntryHash, equalHashes, type KeyHash } from './entry-hash.ts';
import { type Hash64, Murmur3 } from './murmur3.ts';
import { checkShape, leafShiftOf, nodesAbove, nodesOnLevel, type TreeShape } from './tree-shape.ts';

/**
 * The Merkle tree (Merkle 1987; DeCandia et al. 2007, "Dynamo", section 4.7) of what one replica holds of one
 * partition. A leaf is the sum of the entry hashes of the keys in its bucket, word by word modulo 2^32: it does not
 * depend on the order in which they came, and what is taken out leaves no trace. An inner node is the hash of its
 * children. So two trees of a shape are equal exactly where their sets of (key, version, tombstone) are, up to
 * collisions.
 *
 * An update adds to its leaf and marks the way up; a node is hashed when it is asked for. Invariant: all nodes above
 * a marked inner node are marked.
 */
export class MerkleTree {
  readonly shape: TreeShape;
  /** All nodes top down, a level after the other; two words each, high and low. */
  readonly #words: Int32Array;
  /** 1 for each inner node whose hash is out of date. */
  readonly #dirty: Uint8Array;
  readonly #levelStarts: readonly number[];
  readonly #fanOutBits: number;
  /** What is left of the high word of a key's hash behind it is the number of its leaf. */
  readonly #leafShift: number;
  #entryCount = 0;

  constructor(options: TreeShape) {
    this.shape = checkShape(options);
    const { fanOut, depth } = this.shape;
    this.#levelStarts = Array.from({ length: depth + 1 }, (_, level) => nodesAbove(this.shape, level));
    this.#words = new Int32Array(2 * nodesAbove(this.shape, depth + 1));
    this.#dirty = new Uint8Array(nodesAbove(this.shape, depth)).fill(1);
    this.#fanOutBits = Math.log2(fanOut);
    this.#leafShift = leafShiftOf(this.shape);
  }

  /**
   * How many entries were put in and not taken out, tombstones included. Below zero only in a tree that takes the
   * updates of another's rebuilding (see `add`).
   */
  get entryCount(): number {
    return this.#entryCount;
  }

  /** The leaf whose bucket a key belongs to: the first bits of its hash. */
  leafOf(key: KeyHash): number {
    return key.high >>> this.#leafShift;
  }

  /** As `update` of a key that held nothing, by the words of its hashes: many of them leave no garbage. */
  insert(keyHigh: number, entryHigh: number, entryLow: number): void {
    this.#entryCount += 1;
    this.#addToLeaf(keyHigh >>> this.#leafShift, entryHigh, entryLow);
  }

  /** The key held `before` and holds `after` now; undefined where it holds nothing, not even a tombstone. */
  update(key: KeyHash, before: EntryHash | undefined, after: EntryHash | undefined): void {
    this.#entryCount += (after === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
    if (before !== undefined && after !== undefined && equalHashes(before, after)) return;
    if (before === undefined && after === undefined) return;
    const leaf = this.leafOf(key);
    this.#addToLeaf(leaf, (after?.high ?? 0) - (before?.high ?? 0), (after?.low ?? 0) - (before?.low ?? 0));
  }

  /**
   * Adds all entries of `other`, a tree of the same shape. A tree is rebuilt beside service so: one tree takes a
   * snapshot's entries, another, empty at first, the updates since the snapshot; their sum is the tree of now.
   */
  add(other: MerkleTree): void {
    const words = other.leafWords();
    this.addLeaves(words, other.entryCount);
  }

  /** Adds leaf sums as `leafWords` gives them, made of `entryCount` entries. */
  addLeaves(words: Int32Array, entryCount: number): void {
    const expected = 2 * nodesOnLevel(this.shape, this.shape.depth);
    if (words.length !== expected)
      throw new RangeError(`a tree of this shape has ${expected} leaf words, not ${words.length}`);
    this.#entryCount += entryCount;
    for (let leaf = 0; 2 * leaf < words.length; leaf++)
      this.#addToLeaf(leaf, words[2 * leaf] as number, words[2 * leaf + 1] as number);
  }

  /** A copy of the leaf sums: two words each, high and low. */
  leafWords(): Int32Array {
    return this.#words.slice(2 * this.#levelStart(this.shape.depth));
  }

  root(): Hash64 {
    return this.node(0, 0);
  }

  /** The hash of a node; `level` 0 is the root, `level` depth the leaves. */
  node(level: number, index: number): Hash64 {
    this.#check(level, index);
    this.#refresh(level, index);
    return this.#hashAt(this.#levelStart(level) + index);
  }

  /** The hashes of the children of an inner node, in order. */
  children(level: number, index: number): readonly Hash64[] {
    const { fanOut, depth } = this.shape;
    if (level === depth) throw new RangeError('a leaf has no children: ask for those of a level above');
    this.#check(level, index);
    return Array.from({ length: fanOut }, (_, child) => this.node(level + 1, index * fanOut + child));
  }

  #addToLeaf(leaf: number, high: number, low: number): void {
    if (high === 0 && low === 0) return;
    const at = 2 * (this.#levelStart(this.shape.depth) + leaf);
    this.#words[at] = (this.#words[at] as number) + high;
    this.#words[at + 1] = (this.#words[at + 1] as number) + low;
    this.#markAbove(leaf);
  }

  #markAbove(leaf: number): void {
    let index = leaf;
    for (let level = this.shape.depth - 1; level >= 0; level--) {
      index >>>= this.#fanOutBits;
      const at = this.#levelStart(level) + index;
      if (this.#dirty[at] === 1) return;
      this.#dirty[at] = 1;
    }
  }

  #refresh(level: number, index: number): void {
    const at = this.#levelStart(level) + index;
    if (level === this.shape.depth || this.#dirty[at] === 0) return;
    const firstChild = index * this.shape.fanOut;
    for (let child = 0; child < this.shape.fanOut; child++) this.#refresh(level + 1, firstChild + child);
    this.#hashChildren(level, at, 2 * (this.#levelStart(level + 1) + firstChild));
    this.#dirty[at] = 0;
  }

  /** The level seeds the hash, so that a node is never mistaken for one of another level. */
  #hashChildren(level: number, at: number, firstWord: number): void {
    const words = this.#words;
    const wordCount = 2 * this.shape.fanOut;
    const hash = new Murmur3(level);
    for (let i = firstWord; i < firstWord + wordCount; i += 4)
      hash.block(words[i] as number, words[i + 1] as number, words[i + 2] as number, words[i + 3] as number);
    const { high, low } = hash.end64(4 * wordCount);
    words[2 * at] = high;
    words[2 * at + 1] = low;
  }

  #hashAt(at: number): Hash64 {
    return { high: this.#words[2 * at] as number, low: this.#words[2 * at + 1] as number };
  }

  #levelStart(level: number): number {
    return this.#levelStarts[level] as number;
  }

  #check(level: number, index: number): void {
    const { depth } = this.shape;
    if (!Number.isInteger(level) || level < 0 || level > depth)
      throw new RangeError(`a tree of depth ${depth} has the levels 0 to ${depth}, not ${level}`);
    const count = nodesOnLevel(this.shape, level);
    if (!Number.isInteger(index) || index < 0 || index >= count)
      throw new RangeError(`level ${level} has the nodes 0 to ${count - 1}, not ${index}`);
  }
}
