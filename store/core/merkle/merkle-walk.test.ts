import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { answerWalk } from './answer-walk.ts';
import { MerkleTree } from './merkle-tree.ts';
import { MerkleWalk } from './merkle-walk.ts';
import { type TestEntry, testKeyHash, treeOf } from './test-tree.ts';
import { DEFAULT_SHAPE } from './tree-shape.ts';
import { WALK_ANSWER_BYTES } from './walk-messages.ts';

const SMALL = { fanOut: 4, depth: 3 };
const NOTHING_EXCLUDED = (_leaf: number): boolean => false;
const EMPTY = new Map<string, TestEntry>();

type Outcome = {
  readonly leaves: number[];
  readonly asks: number;
  readonly excludedCount: number;
  readonly largestAnswer: number;
};

/** Walks `mine` against `theirs` without a network. */
function walkAll(
  mine: MerkleTree,
  theirs: MerkleTree,
  answerBytesMax: number,
  isExcluded = NOTHING_EXCLUDED,
): Outcome {
  const walk = new MerkleWalk({ answerBytesMax, isExcluded }, mine);
  const leaves: number[] = [];
  let largestAnswer = 0;
  for (let ask = walk.ask(); ask !== undefined; ask = walk.ask()) {
    const answer = answerWalk({ answerBytesMax }, theirs, ask);
    if (answer.type === 'answer') largestAnswer = Math.max(largestAnswer, answer.hashes.length);
    const step = walk.accept(answer);
    assert.equal(step.type, 'progress');
    if (step.type === 'progress') leaves.push(...step.differing);
  }
  return {
    leaves: leaves.toSorted((a, b) => a - b),
    asks: walk.askCount,
    excludedCount: walk.excludedCount,
    largestAnswer,
  };
}

const entries = fc.record({ wallMs: fc.integer({ min: 1, max: 3 }), isTombstone: fc.boolean() });
const data = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 150 }).map(String), entries), { maxLength: 150 })
  .map((pairs) => new Map(pairs));
const answerBytes = fc.integer({ min: 32, max: 300 });

function leavesThatDiffer(a: ReadonlyMap<string, TestEntry>, b: ReadonlyMap<string, TestEntry>): number[] {
  const tree = treeOf(SMALL, EMPTY);
  const keys = [...new Set([...a.keys(), ...b.keys()])].filter((key) => {
    const [mine, theirs] = [a.get(key), b.get(key)];
    return mine?.wallMs !== theirs?.wallMs || mine?.isTombstone !== theirs?.isTombstone;
  });
  return [...new Set(keys.map((key) => tree.leafOf(testKeyHash(key))))].toSorted((x, y) => x - y);
}

test('a walk finds exactly the differing leaves, in bounded messages', () => {
  fc.assert(
    fc.property(data, data, answerBytes, (a, b, answerBytesMax) => {
      const outcome = walkAll(treeOf(SMALL, a), treeOf(SMALL, b), answerBytesMax);
      assert.deepEqual(outcome.leaves, leavesThatDiffer(a, b));
      assert.ok(outcome.largestAnswer <= answerBytesMax);
    }),
  );
});

test('diff is symmetric', () => {
  fc.assert(
    fc.property(data, data, answerBytes, (a, b, answerBytesMax) => {
      const [mine, theirs] = [treeOf(SMALL, a), treeOf(SMALL, b)];
      assert.deepEqual(
        walkAll(mine, theirs, answerBytesMax).leaves,
        walkAll(theirs, mine, answerBytesMax).leaves,
      );
    }),
  );
});

test('equal trees take one exchange, one missing key one per level', () => {
  const all = new Map(
    Array.from({ length: 2000 }, (_, i) => [`key ${i}`, { wallMs: i, isTombstone: false }]),
  );
  const tree = treeOf(DEFAULT_SHAPE, all);
  assert.equal(walkAll(tree, treeOf(DEFAULT_SHAPE, all), WALK_ANSWER_BYTES).asks, 1);
  const without = new Map(all);
  without.delete('key 77');
  const { asks, leaves, largestAnswer } = walkAll(tree, treeOf(DEFAULT_SHAPE, without), WALK_ANSWER_BYTES);
  assert.deepEqual(
    { asks, leaves, largestAnswer },
    { asks: 3, leaves: [tree.leafOf(testKeyHash('key 77'))], largestAnswer: 128 },
  );
});

test('trees that differ everywhere take bounded messages too', () => {
  const full = new MerkleTree(DEFAULT_SHAPE);
  for (let leaf = 0; leaf < 4096; leaf++)
    full.update({ high: leaf << 20, low: 0 }, undefined, { high: leaf, low: 1 });
  const outcome = walkAll(full, new MerkleTree(DEFAULT_SHAPE), WALK_ANSWER_BYTES);
  assert.deepEqual(
    outcome.leaves,
    Array.from({ length: 4096 }, (_, leaf) => leaf),
  );
  assert.deepEqual([outcome.asks, outcome.largestAnswer], [1 + 1 + 4, WALK_ANSWER_BYTES]);
});

test('excluded leaves are counted, not reported', () => {
  const entry = { wallMs: 1, isTombstone: false };
  const held = new Map([
    ['a', entry],
    ['b', entry],
  ]);
  const [mine, theirs] = [treeOf(SMALL, held), treeOf(SMALL, EMPTY)];
  const [a, b] = [mine.leafOf(testKeyHash('a')), mine.leafOf(testKeyHash('b'))];
  assert.notEqual(a, b);
  const { leaves, excludedCount } = walkAll(mine, theirs, 64, (leaf) => leaf === a);
  assert.deepEqual({ leaves, excludedCount }, { leaves: [b], excludedCount: 1 });
});

test('an ask is sent again until it is answered, and late answers change nothing', () => {
  const [mine, theirs] = [
    treeOf(SMALL, new Map([['a', { wallMs: 1, isTombstone: false }]])),
    treeOf(SMALL, EMPTY),
  ];
  const walk = new MerkleWalk({ answerBytesMax: 64, isExcluded: NOTHING_EXCLUDED }, mine);
  const first = walk.ask();
  assert.ok(first !== undefined);
  assert.equal(walk.ask(), first);
  const answer = answerWalk({ answerBytesMax: 64 }, theirs, first);
  assert.deepEqual(walk.accept({ ...answer, number: 9 }), { type: 'stale' });
  assert.equal(walk.accept(answer).type, 'progress');
  assert.deepEqual(walk.accept(answer), { type: 'stale' });
  assert.equal(walk.ask()?.level, 1);
});

test('answerWalk refuses what it cannot answer or what is too much, and the walk ends with the reason', () => {
  const tree = treeOf(SMALL, EMPTY);
  const ask = { type: 'ask', number: 1, shape: SMALL, level: 1, parents: [0] } as const;
  const refusals: [object, RegExp][] = [
    [{ shape: DEFAULT_SHAPE }, /different shapes: 16\^3 leaves asked for, 4\^3 here/],
    [{ level: 3 }, /level 3 has no inner nodes: ask for 0 to 2/],
    [{ level: 0.5 }, /level 0.5 has no inner nodes/],
    [{ parents: [] }, /ask for 1 to 2/],
    [{ parents: [0, 1, 2] }, /3 nodes were asked for: ask for 1 to 2/],
    [{ parents: [4] }, /no node 4: ask for 0 to 3/],
    [{ parents: [-1] }, /no node -1/],
  ];
  for (const [wrong, reason] of refusals) {
    const answer = answerWalk({ answerBytesMax: 64 }, tree, { ...ask, ...wrong });
    assert.match(answer.type === 'refusal' ? answer.reason : 'answered', reason);
  }
  const walk = new MerkleWalk({ answerBytesMax: 64, isExcluded: NOTHING_EXCLUDED }, tree);
  walk.ask();
  assert.deepEqual(walk.accept({ type: 'refusal', number: 1, reason: 'no' }), {
    type: 'failed',
    reason: 'no',
  });
  assert.equal(walk.ask(), undefined);
});

test('an answer of another length ends the walk', () => {
  const walk = new MerkleWalk({ answerBytesMax: 64, isExcluded: NOTHING_EXCLUDED }, treeOf(SMALL, EMPTY));
  walk.ask();
  const step = walk.accept({ type: 'answer', number: 1, hashes: new Uint8Array(31) });
  assert.match(step.type === 'failed' ? step.reason : step.type, /31 bytes of hashes, the ask wants 32/);
  assert.throws(
    () => new MerkleWalk({ answerBytesMax: 31, isExcluded: NOTHING_EXCLUDED }, treeOf(SMALL, EMPTY)),
    /at least 32/,
  );
});
