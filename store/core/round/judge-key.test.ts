import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Version } from '../version/version.ts';
import { ABOVE_ALL, type Holding, judgeKey, sealedDifferences } from './judge-key.ts';

const at = (wallMs: number): Version => ({ wallMs, counter: 0, member: 0 });

/** Members 1, 2, 3, ...: what each holds (0 is nothing), and its watermark. */
function held(...holdings: readonly (readonly [version: number, watermark: number])[]): Map<number, Holding> {
  return new Map(
    holdings.map(([version, watermark], index) => [
      index + 1,
      { version: version === 0 ? undefined : at(version), watermark: at(watermark) },
    ]),
  );
}

const SETTLED = { type: 'settled' };
const carry = (version: number, from: number, ...to: number[]) => ({
  type: 'carry',
  version: at(version),
  from,
  to,
});

test('judgeKey: nothing anywhere, or the same version everywhere, is settled at any floor', () => {
  assert.deepEqual(judgeKey(at(5), held([0, 0], [0, 0])), SETTLED);
  assert.deepEqual(judgeKey(at(5), held([3, 0], [3, 0], [3, 0])), SETTLED);
  assert.deepEqual(judgeKey(ABOVE_ALL, held([9, 0], [9, 0])), SETTLED);
});

test('judgeKey: versions above the floor may differ, at the floor and below they may not', () => {
  assert.deepEqual(judgeKey(at(5), held([6, 0], [7, 0], [8, 0])), SETTLED);
  assert.deepEqual(judgeKey(at(6), held([6, 0], [7, 0], [8, 0])), carry(8, 3, 1, 2));
  assert.deepEqual(judgeKey(ABOVE_ALL, held([6, 0], [7, 0])), carry(7, 2, 1));
});

test('judgeKey: a member without the key takes the newest, also where that is above the floor', () => {
  assert.deepEqual(judgeKey(at(5), held([8, 0], [0, 0], [8, 0])), carry(8, 1, 2));
  assert.deepEqual(judgeKey(at(5), held([0, 0], [3, 0], [8, 0])), carry(8, 3, 1, 2));
});

test('judgeKey: what a member without the key may have collected is ignored, at its watermark too', () => {
  assert.deepEqual(judgeKey(at(5), held([3, 0], [0, 3], [0, 0])), SETTLED);
  assert.deepEqual(judgeKey(at(5), held([4, 0], [0, 3], [4, 0])), carry(4, 1, 2));
  assert.deepEqual(judgeKey(at(5), held([3, 0], [0, 3], [8, 0])), carry(8, 3, 1, 2));
  assert.deepEqual(judgeKey(at(5), held([3, 9], [2, 9])), carry(3, 1, 2), 'a holder collected nothing');
});

// A lost message leaves one member's watermark behind the others': the next round must not wait for it.
test('D11: judgeKey: one replica that has not collected yet does not hold collection back', () => {
  assert.deepEqual(judgeKey(at(9), held([0, 5], [0, 5], [4, 0])), SETTLED);
});

test('sealedDifferences: below the watermark of one that has nothing, or something newer that is sealed', () => {
  assert.deepEqual(sealedDifferences(held([3, 0], [0, 3])), [1]);
  assert.deepEqual(sealedDifferences(held([4, 9], [0, 3])), []);
  assert.deepEqual(sealedDifferences(held([3, 9], [3, 9])), []);
  assert.deepEqual(sealedDifferences(held([3, 9], [5, 4])), [], 'newer, and not sealed yet');
  assert.deepEqual(sealedDifferences(held([3, 9], [4, 4])), [1]);
});

const holdings = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 })), {
    minLength: 1,
    maxLength: 5,
  })
  .map((pairs) => held(...pairs));

test('judgeKey: once what is carried has arrived, the key is settled', () => {
  fc.assert(
    fc.property(holdings, fc.integer({ min: 0, max: 9 }), (before, floor) => {
      const verdict = judgeKey(at(floor), before);
      if (verdict.type === 'settled') return;
      const after = new Map(before);
      for (const member of verdict.to) {
        const { watermark } = before.get(member) as Holding;
        after.set(member, { version: verdict.version, watermark });
      }
      assert.ok(verdict.to.length > 0 && !verdict.to.includes(verdict.from));
      assert.deepEqual(judgeKey(at(floor), after), SETTLED);
    }),
  );
});
