import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { COUNTER_MAX, MEMBER_MAX, type Version, WALL_MS_MAX } from '../version/version.ts';
import { HASH_BYTES, hashEntry, hashKey, readHash, writeHash } from './entry-hash.ts';

const version = { wallMs: 1_790_000_000_000, counter: 3, member: 2 };
const key = hashKey(1, Uint8Array.of(1, 2, 3));

test('hashKey tells keys, lengths and namespaces apart, keys of zeros too', () => {
  const hashes = Array.from({ length: 20 }, (_, namespaceId) =>
    Array.from({ length: 40 }, (_, length) => hashKey(namespaceId, new Uint8Array(length))),
  ).flat();
  assert.equal(new Set(hashes.map(({ high, low }) => `${high} ${low}`)).size, 800);
  assert.ok(new Set(hashes.map(({ high }) => high)).size > 797, 'the half that picks the leaf');
});

// riak_kv#478: deletes did not reach the tree; ferrosa#47: the hash covered the key alone.
test('D18: hashEntry covers the key, every part of the version, and the tombstone', () => {
  const variants: Version[] = [
    version,
    { ...version, wallMs: version.wallMs + 1 },
    { ...version, wallMs: version.wallMs + 2 ** 32 },
    { ...version, counter: 4 },
    { ...version, member: 3 },
    { wallMs: WALL_MS_MAX, counter: COUNTER_MAX, member: MEMBER_MAX },
  ];
  const hashes = variants.map((variant) => hashEntry(key, variant, false));
  hashes.push(hashEntry(key, version, true), hashEntry(hashKey(1, Uint8Array.of(4)), version, false));
  assert.equal(new Set(hashes.map(({ high }) => high)).size, hashes.length);
  assert.equal(new Set(hashes.map(({ low }) => low)).size, hashes.length);
});

test('readHash reads what writeHash wrote', () => {
  const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(int32, int32, (high, low) => {
      const bytes = new Uint8Array(HASH_BYTES + 2);
      writeHash({ high, low }, bytes, 1);
      assert.deepEqual(readHash(bytes, 1), { high, low });
      assert.equal(new DataView(bytes.buffer).getInt32(1), high, 'big-endian, high word first');
    }),
  );
});
