import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyIndex } from './key-index.ts';

type Entry = {
  readonly name: string;
  readonly hashInIndex: number;
  nextInIndex: Entry | undefined;
};

const SEED = { low: 1, high: 2 };
const bytesOf = (name: string): Uint8Array => Uint8Array.from(name, (each) => each.charCodeAt(0));

function entryOf(index: KeyIndex<Entry>, name: string): Entry {
  return { name, hashInIndex: index.hashOf(bytesOf(name)), nextInIndex: undefined };
}

function find(index: KeyIndex<Entry>, name: string): Entry | undefined {
  const key = bytesOf(name);
  return index.get(key, index.hashOf(key));
}

test('it says what a Map says, whatever is added and deleted', () => {
  const name = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 3 });
  const step = fc.record({ type: fc.constantFrom('add', 'delete'), name });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const index = new KeyIndex<Entry>(SEED);
      const expected = new Map<string, Entry>();
      for (const { type, name: codes } of steps) {
        const name = String.fromCharCode(...codes);
        const known = expected.get(name);
        assert.equal(find(index, name), known);
        if (type === 'add' && known === undefined) {
          const entry = entryOf(index, name);
          index.add(entry);
          expected.set(name, entry);
        } else if (type === 'delete') {
          const entry = known ?? entryOf(index, name);
          assert.equal(index.delete(entry), expected.delete(name));
        }
        assert.equal(index.size, expected.size);
      }
      for (const [name, entry] of expected) assert.equal(find(index, name), entry);
    }),
  );
});

test('keys whose hashes are equal are told apart, and one is deleted from between others', () => {
  const index = new KeyIndex<Entry>(SEED);
  const entries = ['a', 'b', 'c', 'ab'].map((name) => ({ ...entryOf(index, name), hashInIndex: 7 }));
  for (const entry of entries) index.add(entry);
  for (const entry of entries) assert.equal(index.get(bytesOf(entry.name), 7), entry);
  assert.equal(index.delete(entries[1] as Entry), true);
  assert.equal(index.get(bytesOf('b'), 7), undefined);
  for (const entry of [entries[0], entries[2], entries[3]] as Entry[])
    assert.equal(index.get(bytesOf(entry.name), 7), entry);
});

test('it grows: all of 10,000 keys are found, those that are not here are not, and an equal entry is not the same', () => {
  const index = new KeyIndex<Entry>(SEED);
  for (let i = 0; i < 10_000; i++) index.add(entryOf(index, `key-${i}`));
  assert.equal(index.size, 10_000);
  for (let i = 0; i < 10_000; i++) assert.equal(find(index, `key-${i}`)?.name, `key-${i}`);
  assert.equal(find(index, 'key-10000'), undefined);
  assert.equal(index.delete(entryOf(index, 'key-1')), false);
  assert.equal(index.size, 10_000);
});

test('all are given once, though each is deleted as it is given; once cleared it is empty', () => {
  const index = new KeyIndex<Entry>(SEED);
  const names = Array.from({ length: 100 }, (_, i) => `key-${i}`);
  for (const name of names) index.add(entryOf(index, name));
  const given: string[] = [];
  for (const entry of index.values()) {
    given.push(entry.name);
    assert.equal(index.delete(entry), true);
  }
  assert.deepEqual(given.toSorted(), names.toSorted());
  assert.equal(index.size, 0);
  index.add(entryOf(index, 'key-7'));
  index.clear();
  assert.equal(index.size, 0);
  assert.equal(find(index, 'key-7'), undefined);
});
