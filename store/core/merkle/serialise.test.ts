import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MerkleTree } from './merkle-tree.ts';
import { deserialiseTree, serialiseTree } from './serialise.ts';
import { testEntryHash, testKeyHash, treeOf } from './test-tree.ts';

const SHAPE = { fanOut: 4, depth: 2 };
const data = fc
  .array(fc.tuple(fc.string(), fc.record({ wallMs: fc.nat(), isTombstone: fc.boolean() })))
  .map((pairs) => new Map(pairs));

test('serialise and back keeps the root', () => {
  fc.assert(
    fc.property(data, (held) => {
      const tree = treeOf(SHAPE, held);
      const back = deserialiseTree(serialiseTree(tree), SHAPE);
      assert.deepEqual(back?.root(), tree.root());
      assert.equal(back?.entryCount, held.size);
      assert.deepEqual(back && serialiseTree(back), serialiseTree(tree));
    }),
  );
});

test('a tree read back goes on as the one that was kept', () => {
  const held = new Map([['a', { wallMs: 1, isTombstone: false }]]);
  const back = deserialiseTree(serialiseTree(treeOf(SHAPE, held)), SHAPE);
  back?.update(testKeyHash('a'), testEntryHash('a', held.get('a')), undefined);
  assert.deepEqual(back?.root(), new MerkleTree(SHAPE).root());
});

test('D17: equal data is equal bytes, whatever came in between', () => {
  const held = new Map([['a', { wallMs: 1, isTombstone: false }]]);
  const tree = treeOf(SHAPE, held);
  const other = testEntryHash('b', { wallMs: 2, isTombstone: true });
  tree.update(testKeyHash('b'), undefined, other);
  tree.update(testKeyHash('b'), other, undefined);
  assert.deepEqual(serialiseTree(tree), serialiseTree(treeOf(SHAPE, held)));
});

test('deserialise finds every flipped bit of the sums and the root, other shapes, and cut bytes', () => {
  const bytes = serialiseTree(treeOf(SHAPE, new Map([['a', { wallMs: 1, isTombstone: false }]])));
  for (let bit = 80; bit < 8 * bytes.length; bit++) {
    const damaged = Uint8Array.from(bytes);
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.equal(deserialiseTree(damaged, SHAPE), undefined, `bit ${bit}`);
  }
  assert.equal(deserialiseTree(bytes, { fanOut: 2, depth: 4 }), undefined);
  assert.equal(deserialiseTree(bytes.subarray(1), SHAPE), undefined);
  assert.equal(deserialiseTree(new Uint8Array(), SHAPE), undefined);
});

test('a tree of updates alone is not kept', () => {
  const tree = new MerkleTree(SHAPE);
  tree.update({ high: 1, low: 1 }, { high: 2, low: 2 }, undefined);
  assert.throws(() => serialiseTree(tree), /-1 entries/);
});
