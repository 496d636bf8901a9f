import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimRandom } from './sim-random.ts';

test('createSimRandom draws the same numbers for the same seed', () => {
  const [a, b, other] = [createSimRandom(3), createSimRandom(3), createSimRandom(4)];
  const bytes = a.bytes(16);
  assert.equal(bytes.length, 16);
  assert.deepEqual(bytes, b.bytes(16));
  assert.notDeepEqual(bytes, other.bytes(16));
  assert.equal(a.unit(), b.unit());
});
