import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DenseSet, NO_PLACE } from './dense-set.ts';

test('DenseSet holds what a Set holds, whatever comes and goes', () => {
  const step = fc.record({ isAdd: fc.boolean(), at: fc.nat({ max: 9 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const items = Array.from({ length: 10 }, (_, name) => ({ name, place: NO_PLACE }));
      const set = new DenseSet<(typeof items)[number]>();
      const expected = new Set<(typeof items)[number]>();
      for (const { isAdd, at } of steps) {
        const item = items[at] as (typeof items)[number];
        if (isAdd) set.add(item);
        else set.delete(item);
        if (isAdd) expected.add(item);
        else expected.delete(item);
        assert.equal(set.size, expected.size);
        assert.deepEqual(new Set(set), expected);
      }
      for (const item of items) assert.equal(item.place !== NO_PLACE, expected.has(item));
    }),
  );
});
