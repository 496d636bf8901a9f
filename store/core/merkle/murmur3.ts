import { wordAt } from '../bytes/bytes.ts';

/**
 * MurmurHash3_x86_128 (Austin Appleby, public domain; github.com/aappleby/smhasher, src/MurmurHash3.cpp), of which
 * the first 64 bits are used. It works on 32-bit words, so plain numbers do: no BigInt and no allocation per word.
 *
 * It is no cryptographic hash: who chooses the input can make collisions. See docs/anti-entropy.md for what that
 * means here.
 */

/** 64 bits as two signed 32-bit integers, which the engine keeps without boxing them. */
export type Hash64 = { readonly high: number; readonly low: number };

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;
export const BLOCK_BYTES = 16;

/** One hash under way: blocks of four little-endian words, then at most one tail, then the end. */
export class Murmur3 {
  #h1: number;
  #h2: number;
  #h3: number;
  #h4: number;

  constructor(seed: number) {
    this.#h1 = seed | 0;
    this.#h2 = seed | 0;
    this.#h3 = seed | 0;
    this.#h4 = seed | 0;
  }

  block(k1: number, k2: number, k3: number, k4: number): void {
    this.#h1 ^= scramble(k1, C1, 15, C2);
    this.#h1 = (Math.imul((rotate(this.#h1, 19) + this.#h2) | 0, 5) + 0x561ccd1b) | 0;
    this.#h2 ^= scramble(k2, C2, 16, C3);
    this.#h2 = (Math.imul((rotate(this.#h2, 17) + this.#h3) | 0, 5) + 0x0bcaa747) | 0;
    this.#h3 ^= scramble(k3, C3, 17, C4);
    this.#h3 = (Math.imul((rotate(this.#h3, 15) + this.#h4) | 0, 5) + 0x96cd1c35) | 0;
    this.#h4 ^= scramble(k4, C4, 18, C1);
    this.#h4 = (Math.imul((rotate(this.#h4, 13) + this.#h1) | 0, 5) + 0x32ac3b17) | 0;
  }

  /** The last, incomplete block, filled up with zeros: a word of zero changes nothing. */
  tail(k1: number, k2: number, k3: number, k4: number): void {
    this.#h1 ^= scramble(k1, C1, 15, C2);
    this.#h2 ^= scramble(k2, C2, 16, C3);
    this.#h3 ^= scramble(k3, C3, 17, C4);
    this.#h4 ^= scramble(k4, C4, 18, C1);
  }

  /** All four words of the hash of `byteLength` bytes. */
  end(byteLength: number): readonly [number, number, number, number] {
    const a = this.#h1 ^ byteLength;
    const b = this.#h2 ^ byteLength;
    const c = this.#h3 ^ byteLength;
    const d = this.#h4 ^ byteLength;
    const sum = (a + b + c + d) | 0;
    const f1 = mix(sum);
    const f2 = mix((b + sum) | 0);
    const f3 = mix((c + sum) | 0);
    const f4 = mix((d + sum) | 0);
    const h1 = (f1 + f2 + f3 + f4) | 0;
    return [h1, (f2 + h1) | 0, (f3 + h1) | 0, (f4 + h1) | 0];
  }

  end64(byteLength: number): Hash64 {
    const [low, high] = this.end(byteLength);
    return { high, low };
  }
}

/** Takes in start <= byte < end, the last that `hash` takes; what is left is to end it with the length of all it took. */
export function absorbBytes(hash: Murmur3, bytes: Uint8Array, start = 0, end = bytes.length): void {
  let at = start;
  for (; at + BLOCK_BYTES <= end; at += BLOCK_BYTES)
    hash.block(wordAt(bytes, at), wordAt(bytes, at + 4), wordAt(bytes, at + 8), wordAt(bytes, at + 12));
  if (at < end)
    hash.tail(
      wordOrZero(bytes, at, end),
      wordOrZero(bytes, at + 4, end),
      wordOrZero(bytes, at + 8, end),
      wordOrZero(bytes, at + 12, end),
    );
}

function wordOrZero(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) return wordAt(bytes, at);
  let value = 0;
  for (let i = end - 1; i >= at; i--) value = (value << 8) | (bytes[i] as number);
  return value;
}

function scramble(word: number, first: number, bits: number, second: number): number {
  return Math.imul(rotate(Math.imul(word, first), bits), second);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function mix(value: number): number {
  const first = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return second ^ (second >>> 16);
}
