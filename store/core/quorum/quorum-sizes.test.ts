import assert from 'node:assert/strict';
import { test } from 'node:test';
import { majority, needed } from './quorum-sizes.ts';

test('majority: any two quorums of a set meet, and none is larger than needed for that', () => {
  for (let members = 1; members <= 9; members++) {
    assert.ok(2 * majority(members) > members);
    assert.ok(2 * (majority(members) - 1) <= members);
  }
});

test('needed: each level of a set of its own size', () => {
  const table = [1, 2, 3, 4, 5].map((members) => [
    needed(1, members),
    needed('quorum', members),
    needed('all', members),
  ]);
  assert.deepEqual(table, [
    [1, 1, 1],
    [1, 2, 2],
    [1, 2, 3],
    [1, 3, 4],
    [1, 3, 5],
  ]);
  assert.throws(() => needed('quorum', 0), RangeError);
});
