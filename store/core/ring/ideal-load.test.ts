import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { idealLoads } from './ideal-load.ts';
import { type PlacementMember, rosterOf } from './roster.ts';
import { zoneSpread } from './zone-spread.ts';

const member = fc.record({
  weight: fc.integer({ min: 1, max: 1000 }),
  zone: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
});

/** The root of a rising function, by halving. */
function solve(f: (level: number) => number, wanted: number): number {
  let [low, high] = [0, 1e6];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (f(middle) < wanted) low = middle;
    else high = middle;
  }
  return high;
}

test('idealLoads is the weighted share at one level, bounded by partition count and zone (against halving)', () => {
  fc.assert(
    fc.property(
      fc.array(member, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      (list, factor) => {
        const partitions = 16;
        const replicas = Math.min(factor, list.length);
        const roster = rosterOf(new Map(list.map((value, id) => [id + 1, value])));
        const spread = zoneSpread(roster.zoneSizes, replicas);
        const ideal = idealLoads(roster, spread, { partitions, replicas });
        const inZone = (zone: number, level: number): number =>
          roster.weights.reduce(
            (sum, weight, m) =>
              roster.zoneOf[m] === zone ? sum + Math.min(partitions, level * weight) : sum,
            0,
          );
        const bounded = (zone: number, level: number): number =>
          Math.max(
            spread.least[zone]! * partitions,
            Math.min(spread.most[zone]! * partitions, inZone(zone, level)),
          );
        const all = (level: number): number =>
          roster.zones.reduce((sum, _, zone) => sum + bounded(zone, level), 0);
        const level = solve(all, partitions * replicas);
        for (const [zone] of roster.zones.entries()) {
          const zoneLevel = solve((at) => inZone(zone, at), bounded(zone, level));
          for (const [m, weight] of roster.weights.entries()) {
            if (roster.zoneOf[m] !== zone) continue;
            const expected = Math.min(partitions, zoneLevel * weight);
            assert.ok(Math.abs(ideal[m]! - expected) < 1e-3, `${ideal[m]} is not ${expected}`);
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('idealLoads: equal members share equally, a heavy one is capped at the number of partitions', () => {
  const ideals = (members: readonly PlacementMember[], factor: number): number[] => {
    const roster = rosterOf(new Map(members.map((value, id) => [id + 1, value])));
    return idealLoads(roster, zoneSpread(roster.zoneSizes, factor), { partitions: 8, replicas: factor });
  };
  const inOneZone = (...weights: number[]): PlacementMember[] =>
    weights.map((weight) => ({ weight, zone: '' }));
  assert.deepEqual(ideals(inOneZone(5, 5, 5, 5), 3), [6, 6, 6, 6]);
  assert.deepEqual(ideals(inOneZone(1000, 1, 1), 2), [8, 4, 4]);
  assert.deepEqual(ideals(inOneZone(3, 1), 1), [6, 2]);
});

test('zoneSpread is as even as the sizes of the zones allow', () => {
  assert.deepEqual(zoneSpread([2, 2, 2], 3), { least: [0, 0, 0].map(() => 0), most: [1, 1, 1] });
  assert.deepEqual(zoneSpread([4, 1], 3), { least: [1, 1], most: [2, 1] });
  assert.deepEqual(zoneSpread([9, 9], 5), { least: [2, 2], most: [3, 3] });
  assert.deepEqual(zoneSpread([7], 3), { least: [2], most: [3] });
  assert.deepEqual(zoneSpread([1, 1, 5], 5), { least: [1, 1, 2], most: [1, 1, 3] });
});
