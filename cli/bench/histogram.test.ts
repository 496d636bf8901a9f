import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HISTOGRAM_ERROR, Histogram } from './histogram.ts';

test('Histogram.percentile agrees with sorting, within its error and never below', () => {
  const values = fc.array(fc.oneof(fc.nat(1000), fc.nat(), fc.nat(2 ** 40)), {
    minLength: 1,
    maxLength: 200,
  });
  const shares = fc.oneof(
    fc.constantFrom(0.5, 0.9, 0.99, 0.999, 1),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(values, shares, (list, share) => {
      const histogram = new Histogram();
      for (const value of list) histogram.record(value);
      const sorted = list.toSorted((a, b) => a - b);
      const exact = sorted[Math.max(1, Math.ceil(share * list.length)) - 1]!;
      const found = histogram.percentile(share);
      assert.ok(found >= exact && found <= exact * (1 + HISTOGRAM_ERROR), `${found} for ${exact}`);
    }),
  );
});

test('Histogram keeps total and the exact maximum, and counts between bounds', () => {
  const histogram = new Histogram();
  for (const value of [1, 5, 50, 123_457]) histogram.record(value);
  assert.deepEqual([histogram.total, histogram.max], [4, 123_457]);
  assert.deepEqual(histogram.countsBelow([2, 10, 100]), [1, 1, 1, 1]);
  assert.equal(new Histogram().percentile(0.5), 0);
});
