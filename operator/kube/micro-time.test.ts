import assert from 'node:assert/strict';
import { test } from 'node:test';
import { microTime } from './micro-time.ts';

test('a micro time has six digits behind the second', () => {
  assert.equal(microTime(Date.UTC(2026, 0, 2, 3, 4, 5, 67)), '2026-01-02T03:04:05.067000Z');
  assert.equal(microTime(0), '1970-01-01T00:00:00.000000Z');
});
