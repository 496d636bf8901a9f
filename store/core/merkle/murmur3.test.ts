import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absorbBytes, Murmur3 } from './murmur3.ts';

function hashBytes(bytes: Uint8Array, seed: number): Uint8Array {
  const hash = new Murmur3(seed);
  absorbBytes(hash, bytes);
  const words = hash.end(bytes.length);
  const out = new DataView(new ArrayBuffer(16));
  for (const [i, word] of words.entries()) out.setInt32(4 * i, word, true);
  return new Uint8Array(out.buffer);
}

// SMHasher, VerificationTest in src/KeysetTest.cpp: the hash of the hashes of {}, {0}, {0, 1}, ..., each with its own seed.
test('murmur3 is MurmurHash3_x86_128: SMHasher verification 0xB3ECE62A', () => {
  const hashes = new Uint8Array(256 * 16);
  for (let length = 0; length < 256; length++) {
    const key = Uint8Array.from({ length }, (_, i) => i);
    hashes.set(hashBytes(key, 256 - length), 16 * length);
  }
  const verification = new DataView(hashBytes(hashes, 0).buffer).getUint32(0, true);
  assert.equal(verification.toString(16), 'b3ece62a');
});

test('end64 is the first half of the hash', () => {
  const hash = new Murmur3(7);
  absorbBytes(hash, Uint8Array.of(1, 2, 3));
  const [low, high] = hash.end(3);
  assert.deepEqual(hash.end64(3), { high, low });
});
