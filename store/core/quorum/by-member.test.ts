import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nobody } from './by-member.ts';

test('ByMember is a Map that is never changed', () => {
  const member = fc.integer({ min: 1, max: 5 });
  const step = fc.record({
    type: fc.constantFrom('with' as const, 'without' as const),
    member,
    value: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const map = new Map<number, number>();
      let mine = nobody<number>();
      for (const { type, member: of, value } of steps) {
        const before = mine;
        const had = before.members();
        mine = type === 'with' ? mine.with(of, value) : mine.without(of);
        if (type === 'with') map.set(of, value);
        else map.delete(of);
        assert.deepEqual(before.members(), had);
        assert.equal(mine.size, map.size);
        for (let each = 1; each <= 5; each++) {
          assert.equal(mine.get(each), map.get(each));
          assert.equal(mine.has(each), map.has(each));
        }
        assert.deepEqual(mine.members().toSorted(), [...map.keys()].sort());
        assert.deepEqual(
          mine.values(),
          mine.members().map((each) => map.get(each)),
        );
      }
    }),
  );
});
