import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toEpoch } from '../topology/types.ts';
import type { Liveness, Rumour } from './messages.ts';
import { ACCUSERS_MAX, compareClaims, compareRumours, mergeRumours } from './rumour.ts';

/** Few values, so that equal and nearly equal rumours come up. */
const few = fc.integer({ min: 0, max: 2 });
const accusers = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: ACCUSERS_MAX });
const anyRumour: fc.Arbitrary<Rumour> = fc
  .record({
    member: fc.constant(1),
    liveness: fc.constantFrom<Liveness>('alive', 'suspect', 'dead', 'left'),
    incarnation: few,
    refutation: few,
    address: fc.constantFrom('a:1', 'b:1'),
    epoch: few.map(toEpoch),
    load: fc.constantFrom(0, 0.5),
    accusers,
  })
  .map(({ accusers: list, ...rumour }) =>
    rumour.liveness === 'suspect' ? { ...rumour, accusers: list.sort((a, b) => a - b) } : rumour,
  );

const holds = (...property: Parameters<typeof fc.property<[Rumour, Rumour, Rumour]>>): void =>
  fc.assert(fc.property(...property), { numRuns: 2000 });
const withoutAccusers = ({ accusers: _, ...rumour }: Rumour): Rumour => rumour;

test('compareRumours is a total order', () => {
  holds(anyRumour, anyRumour, anyRumour, (a, b, c) => {
    assert.equal(Math.sign(compareRumours(a, b)), -Math.sign(compareRumours(b, a)) || 0);
    if (compareRumours(a, b) <= 0 && compareRumours(b, c) <= 0) assert.ok(compareRumours(a, c) <= 0);
    if (compareRumours(a, b) === 0) assert.deepEqual(withoutAccusers(a), withoutAccusers(b));
  });
});

test('mergeRumours is commutative, associative and idempotent', () => {
  holds(anyRumour, anyRumour, anyRumour, (a, b, c) => {
    assert.deepEqual(mergeRumours(a, b), mergeRumours(b, a));
    assert.deepEqual(mergeRumours(mergeRumours(a, b), c), mergeRumours(a, mergeRumours(b, c)));
    assert.equal(mergeRumours(a, a), a);
  });
});

test('mergeRumours returns what is held where nothing is new', () => {
  holds(anyRumour, anyRumour, anyRumour, (a, b) => {
    const merged = mergeRumours(a, b);
    assert.equal(mergeRumours(merged, a), merged);
    assert.equal(mergeRumours(merged, b), merged);
  });
});

test('compareClaims: a higher incarnation wins, then a higher refutation, then left > dead > suspect > alive', () => {
  const order: readonly [number, number, Liveness][] = [
    [1, 0, 'left'],
    [1, 1, 'alive'],
    [1, 1, 'suspect'],
    [1, 1, 'dead'],
    [1, 1, 'left'],
    [2, 0, 'alive'],
  ];
  const rumours = order.map(([incarnation, refutation, liveness]) => ({
    member: 1,
    liveness,
    incarnation,
    refutation,
    address: 'a:1',
    epoch: toEpoch(0),
    load: 0,
  }));
  for (const [i, lower] of rumours.entries())
    for (const higher of rumours.slice(i + 1)) assert.ok(compareClaims(lower, higher) < 0);
});
