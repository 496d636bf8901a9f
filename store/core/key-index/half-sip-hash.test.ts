import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { halfSipHash, seedOf } from './half-sip-hash.ts';

const SEED = seedOf(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7));

/** Of the bytes 0, 1, 2, ... up to that length, under the seed 00 01 .. 07: Linux, lib/tests/siphash_kunit.c, the 32-bit vectors. */
const VECTORS = [
  0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6, 0x577999b1,
  0xc839caed, 0xe4fa32cf, 0x959246ee, 0x6b28096c, 0x66dd9cd6, 0x16658a7c, 0xd0257b04,
];

test('the published vectors of HalfSipHash-1-3', () => {
  const bytes = Uint8Array.from({ length: VECTORS.length }, (_, i) => i);
  const hashes = VECTORS.map((_, length) => halfSipHash(SEED, bytes.subarray(0, length)) >>> 0);
  assert.deepEqual(hashes, VECTORS);
});

test('a change of one bit of the key or of the seed changes the hash, and the bits of its lower half evenly', () => {
  const ones = new Array<number>(16).fill(0);
  let runs = 0;
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(), (key, at) => {
      const changed = key.slice();
      const place = at % key.length;
      changed[place] = (changed[place] as number) ^ (1 << (at % 8));
      const difference = halfSipHash(SEED, key) ^ halfSipHash(SEED, changed);
      assert.notEqual(difference, 0);
      assert.notEqual(halfSipHash(SEED, key), halfSipHash({ ...SEED, high: SEED.high ^ 1 }, key));
      runs += 1;
      for (const bit of ones.keys()) ones[bit] = (ones[bit] as number) + ((difference >>> bit) & 1);
    }),
    { numRuns: 1000 },
  );
  for (const count of ones) assert.ok(count > 0.35 * runs && count < 0.65 * runs, `${count} of ${runs}`);
});
