import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareBytes } from '../bytes/bytes.ts';
import {
  EMPTY_MAP,
  mapDelete,
  mapDeleteRange,
  mapEntries,
  mapGet,
  mapPut,
  type SortedMap,
} from './sorted-map.ts';

const key = fc.uint8Array({ minLength: 1, maxLength: 3, max: 3 });
const command = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key, value: fc.uint8Array({ maxLength: 2 }) }),
  fc.record({ type: fc.constant('delete' as const), key }),
  fc.record({ type: fc.constant('range' as const), key, end: key }),
);

type Pair = readonly [Uint8Array, Uint8Array];

function pairs(map: SortedMap, start: Uint8Array, end: Uint8Array, reverse: boolean): Pair[] {
  return [...mapEntries(map, start, end, reverse)].map((entry) => [entry.key, entry.value] as const);
}

test('SortedMap answers as a sorted array does, and old maps stay what they were', () => {
  const scenario = (
    commands: (typeof command extends fc.Arbitrary<infer C> ? C : never)[],
    from: Uint8Array,
    to: Uint8Array,
  ): void => {
    let map = EMPTY_MAP;
    let model: Pair[] = [];
    for (const step of commands) {
      const before = map;
      const modelBefore = model;
      if (step.type === 'range') {
        map = mapDeleteRange(map, step.key, step.end);
        model = model.filter(([k]) => compareBytes(k, step.key) < 0 || compareBytes(k, step.end) >= 0);
      } else {
        model = model.filter(([k]) => compareBytes(k, step.key) !== 0);
        if (step.type === 'put') model.push([step.key, step.value]);
        model.sort(([a], [b]) => compareBytes(a, b));
        map = step.type === 'put' ? mapPut(map, step.key, step.value) : mapDelete(map, step.key);
      }
      assert.deepEqual(pairs(before, new Uint8Array(), Uint8Array.of(9), false), modelBefore);
    }
    const inRange = model.filter(([k]) => compareBytes(k, from) >= 0 && compareBytes(k, to) < 0);
    assert.deepEqual(pairs(map, from, to, false), inRange);
    assert.deepEqual(pairs(map, from, to, true), inRange.toReversed());
    assert.deepEqual(mapGet(map, from), model.find(([k]) => compareBytes(k, from) === 0)?.[1]);
  };
  fc.assert(fc.property(fc.array(command, { maxLength: 40 }), key, key, scenario));
});

test('SortedMap stays shallow when keys count up', () => {
  let map = EMPTY_MAP;
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  for (let i = 0; i < 10_000; i++) map = mapPut(map, encode(String(i).padStart(8, '0')), new Uint8Array());
  const depth = (node: SortedMap['root']): number =>
    node === undefined ? 0 : 1 + Math.max(depth(node.left), depth(node.right));
  assert.ok(depth(map.root) < 60, `depth ${depth(map.root)} of 10,000 entries`);
});
