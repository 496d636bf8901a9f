import { wordAt } from '../bytes/bytes.ts';

/** The secret of a hash: two words that nobody outside the process knows. */
export type HashSeed = { readonly low: number; readonly high: number };

/** The seed that eight random bytes give. */
export function seedOf(bytes: Uint8Array): HashSeed {
  return { low: wordAt(bytes, 0), high: wordAt(bytes, 4) };
}

/**
 * HalfSipHash-1-3 of `bytes` (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; the half-width form, one round a
 * word and three at the end, is that of hash tables in Linux, Documentation/security/siphash.rst). Signed 32 bits. Whoever does
 * not know the seed cannot choose keys that meet in one bucket, which with a plain hash would make each look-up a long walk.
 */
export function halfSipHash({ low, high }: HashSeed, bytes: Uint8Array): number {
  let v0 = low | 0;
  let v1 = high | 0;
  let v2 = 0x6c796765 ^ low;
  let v3 = 0x74656462 ^ high;
  const { length } = bytes;
  const whole = length & ~3;
  // Each turn of the loop is one round; behind the words comes the tail, then three rounds without input.
  const rounds = (whole >>> 2) + 4;
  for (let i = 0; i < rounds; i++) {
    const at = i << 2;
    const word = at < whole ? wordAt(bytes, at) : at === whole ? tailOf(bytes, whole) : 0;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
    if (at === whole) v2 ^= 0xff;
  }
  return v1 ^ v3;
}

/** The up to three bytes behind the last whole word, and the length in the highest byte. */
function tailOf(bytes: Uint8Array, from: number): number {
  let tail = bytes.length << 24;
  for (let at = bytes.length - 1; at >= from; at--) tail |= (bytes[at] as number) << (8 * (at - from));
  return tail;
}
