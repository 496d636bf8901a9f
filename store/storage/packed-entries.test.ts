import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteBuilder } from '../core/bytes/byte-builder.ts';
import type { EngineEntry } from './engine.ts';
import {
  keyAt,
  openEntries,
  packEntries,
  packEntry,
  plainOperations,
  valueAt,
  visitEntries,
} from './packed-entries.ts';

const entries = fc.array(
  fc.record({
    key: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    value: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 20 },
);
const plain = ({ key, value }: EngineEntry) => [[...key], [...value]];

test('what was packed is found by its place, visited in order, and put one by one', () => {
  fc.assert(
    fc.property(entries, (given) => {
      const bytes = packEntries(given);
      const opened = openEntries(bytes);
      const wanted = given.map(plain);
      const places = Array.from({ length: opened.count }, (_, place) => place);
      assert.deepEqual(
        places.map((place) => plain({ key: keyAt(opened, place), value: valueAt(opened, place) })),
        wanted,
      );
      const visited: EngineEntry[] = [];
      visitEntries(bytes, (key, value) => visited.push({ key, value }));
      assert.deepEqual(visited.map(plain), wanted);
      const puts = [...plainOperations([{ type: 'put-entries', entries: opened }])];
      assert.deepEqual(
        puts.map((put) => put.type === 'put' && plain(put)),
        wanted,
      );
    }),
  );
});

test('runs packed into one memory begin anew each time, and what was given stays as it was', () => {
  const packed = new ByteBuilder();
  const give = (byte: number, length: number) => {
    packEntry(packed, Uint8Array.of(byte), new Uint8Array(length).fill(byte));
    return packed.take();
  };
  const runs = [give(1, 10_000), give(2, 3), give(3, 70_000)];
  assert.deepEqual(
    runs
      .map((run) => openEntries(run))
      .map((opened) => [opened.count, opened.valueBytes, keyAt(opened, 0)[0], valueAt(opened, 0).at(-1)]),
    [
      [1, 10_000, 1, 1],
      [1, 3, 2, 2],
      [1, 70_000, 3, 3],
    ],
  );
});
