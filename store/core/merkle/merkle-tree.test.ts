import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dumbLevels, hexOf } from './dumb-tree.ts';
import { MerkleTree } from './merkle-tree.ts';
import { type TestEntry, testEntryHash, testKeyHash, treeOf } from './test-tree.ts';
import { DEFAULT_SHAPE, LEAF_COUNT_MAX, nodesOnLevel, treeBytes } from './tree-shape.ts';

const SMALL = { fanOut: 4, depth: 3 };

const keys = fc.integer({ min: 0, max: 60 }).map((n) => `key ${n}`);
const entries: fc.Arbitrary<TestEntry> = fc.record({
  wallMs: fc.integer({ min: 1, max: 2 ** 40 }),
  isTombstone: fc.boolean(),
});
const changes = fc.array(
  fc.tuple(keys, fc.option(entries, { nil: undefined }), fc.integer({ min: 0, max: 5 })),
  {
    maxLength: 80,
  },
);
const data = fc.array(fc.tuple(keys, entries), { maxLength: 60 }).map((pairs) => new Map(pairs));

function manyEntries(count: number): Map<string, TestEntry> {
  return new Map(
    Array.from({ length: count }, (_, i) => [`key ${i}`, { wallMs: i + 1, isTombstone: i % 7 === 0 }]),
  );
}

function differingLeaves(a: MerkleTree, b: MerkleTree): number[] {
  const leaves = Array.from({ length: nodesOnLevel(a.shape, a.shape.depth) }, (_, leaf) => leaf);
  const depth = a.shape.depth;
  return leaves.filter((leaf) => {
    const [mine, theirs] = [a.node(depth, leaf), b.node(depth, leaf)];
    return mine.high !== theirs.high || mine.low !== theirs.low;
  });
}

function assertSameTrees(tree: MerkleTree, levels: readonly (readonly string[])[]): void {
  for (const [level, hashes] of levels.entries()) {
    for (const [index, expected] of hashes.entries()) {
      const { high, low } = tree.node(level, index);
      assert.equal(hexOf(high, low), expected, `level ${level}, node ${index}`);
    }
  }
}

test('same data in any order -> same root', () => {
  const forward = [...manyEntries(500)];
  const tree = treeOf(DEFAULT_SHAPE, new Map(forward));
  const reversed = treeOf(DEFAULT_SHAPE, new Map(forward.toReversed()));
  assert.deepEqual(reversed.root(), tree.root());
  assert.deepEqual(differingLeaves(tree, reversed), []);
});

test('one missing key -> different root and exactly its leaf', () => {
  const all = manyEntries(500);
  const tree = treeOf(DEFAULT_SHAPE, all);
  for (const missing of ['key 0', 'key 250', 'key 499']) {
    const without = new Map(all);
    without.delete(missing);
    const other = treeOf(DEFAULT_SHAPE, without);
    assert.notDeepEqual(other.root(), tree.root());
    assert.deepEqual(differingLeaves(tree, other), [tree.leafOf(testKeyHash(missing))]);
  }
});

// riak_kv#473, #1771, #1189, CASSANDRA-15962: a tree that depends on its history repairs keys for ever that do not differ.
test('D17: the tree after any history is the dumb tree of the data that is left', () => {
  fc.assert(
    fc.property(changes, (history) => {
      const tree = new MerkleTree(SMALL);
      const left = new Map<string, TestEntry>();
      for (const [key, entry, askedLevel] of history) {
        tree.update(testKeyHash(key), testEntryHash(key, left.get(key)), testEntryHash(key, entry));
        if (entry === undefined) left.delete(key);
        else left.set(key, entry);
        // Hashing some nodes only, or all, in between must not matter.
        if (askedLevel < 3) tree.node(askedLevel, 4 ** askedLevel - 1);
      }
      assert.equal(tree.entryCount, left.size);
      assertSameTrees(tree, dumbLevels(SMALL, left));
    }),
  );
});

// riak_core#830: an emptied tree, and one with an emptied last segment, were not those of the same data.
test('D18: an emptied tree equals a new one, and an emptied last leaf leaves no trace', () => {
  fc.assert(
    fc.property(data, (held) => {
      const tree = treeOf(SMALL, held);
      tree.root();
      for (const [key, entry] of held) tree.update(testKeyHash(key), testEntryHash(key, entry), undefined);
      assert.deepEqual(tree.root(), new MerkleTree(SMALL).root());
      assert.deepEqual(tree.leafWords(), new MerkleTree(SMALL).leafWords());
      assert.equal(tree.entryCount, 0);
    }),
  );
  const tree = treeOf(SMALL, manyEntries(30));
  const root = tree.root();
  const inLastLeaf = { high: -1, low: -1 };
  tree.update(inLastLeaf, undefined, { high: 5, low: 6 });
  assert.notDeepEqual(tree.root(), root);
  assert.deepEqual(tree.leafOf(inLastLeaf), 63);
  tree.update(inLastLeaf, { high: 5, low: 6 }, undefined);
  assert.deepEqual(tree.root(), root);
});

test('D18: a delete changes the root, as it leaves a tombstone', () => {
  const held = manyEntries(50);
  const tree = treeOf(SMALL, held);
  const before = tree.root();
  const old = testEntryHash('key 8', held.get('key 8'));
  tree.update(testKeyHash('key 8'), old, testEntryHash('key 8', { wallMs: 9, isTombstone: true }));
  assert.notDeepEqual(tree.root(), before);
});

test('children are the nodes below, in order', () => {
  const tree = treeOf(SMALL, manyEntries(50));
  assert.deepEqual(
    tree.children(1, 2),
    [8, 9, 10, 11].map((index) => tree.node(2, index)),
  );
  assert.throws(() => tree.children(3, 0), /a leaf has no children/);
});

test('add: a snapshot and the updates since make the tree of now', () => {
  fc.assert(
    fc.property(data, changes, (snapshot, history) => {
      const rebuilt = treeOf(SMALL, snapshot);
      const since = new MerkleTree(SMALL);
      const now = new Map(snapshot);
      for (const [key, entry] of history) {
        since.update(testKeyHash(key), testEntryHash(key, now.get(key)), testEntryHash(key, entry));
        if (entry === undefined) now.delete(key);
        else now.set(key, entry);
      }
      rebuilt.add(since);
      assert.deepEqual(rebuilt.root(), treeOf(SMALL, now).root());
      assert.equal(rebuilt.entryCount, now.size);
    }),
  );
});

test('a tree refuses shapes, nodes and leaves that cannot be', () => {
  assert.throws(() => new MerkleTree({ fanOut: 12, depth: 3 }), /power of two from 2 to 256, not 12/);
  assert.throws(() => new MerkleTree({ fanOut: 512, depth: 1 }), /not 512/);
  assert.throws(() => new MerkleTree({ fanOut: 16, depth: 0 }), /depth is at least 1/);
  assert.throws(() => new MerkleTree({ fanOut: 16, depth: 5 }), new RegExp(`at most ${LEAF_COUNT_MAX}`));
  const tree = new MerkleTree(SMALL);
  assert.throws(() => tree.node(4, 0), /levels 0 to 3, not 4/);
  assert.throws(() => tree.node(1, 4), /nodes 0 to 3, not 4/);
  assert.throws(() => tree.add(new MerkleTree(DEFAULT_SHAPE)), /128 leaf words, not 8192/);
});

// CASSANDRA-19336: the trees of many ranges at once ran out of memory.
test('D20: the trees of 256 partitions stay below 9 MiB', () => {
  assert.equal(treeBytes(DEFAULT_SHAPE), 35_225);
  const before = process.memoryUsage().arrayBuffers;
  const trees = Array.from({ length: 256 }, () => new MerkleTree(DEFAULT_SHAPE));
  for (const tree of trees) tree.root();
  const heldBytes = process.memoryUsage().arrayBuffers - before;
  assert.equal(trees.length, 256);
  assert.ok(heldBytes < 9 * 2 ** 20, `${heldBytes} bytes`);
});
