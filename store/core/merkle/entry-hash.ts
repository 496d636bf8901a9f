import type { Version } from '../version/version.ts';
import { absorbBytes, BLOCK_BYTES, type Hash64, Murmur3 } from './murmur3.ts';

/** The hash of a key in its namespace; says in which leaf of its partition's tree the key lies. */
export type KeyHash = Hash64;

/** The hash of what a replica holds under a key: key, version, and whether it is a tombstone. */
export type EntryHash = Hash64;

const ENTRY_BYTES = 24;

/**
 * The namespace is a block before the key. As the seed it would meet the length, which is xored in at the end: the
 * keys 00 00 of namespace 1 and 00 of namespace 2 would have one hash.
 */
export function hashKey(namespaceId: number, key: Uint8Array): KeyHash {
  return hashKeyAt(namespaceId, key, 0, key.length);
}

/** As `hashKey`, of the key start <= byte < end. */
export function hashKeyAt(namespaceId: number, bytes: Uint8Array, start: number, end: number): KeyHash {
  const hash = new Murmur3(0);
  hash.block(namespaceId, 0, 0, 0);
  absorbBytes(hash, bytes, start, end);
  return hash.end64(BLOCK_BYTES + end - start);
}

/**
 * Takes the key's hash in place of the key: what was replaced and what replaces it share it. The value is not hashed:
 * two writes never carry the same version, so equal versions mean equal values.
 */
export function hashEntry(key: KeyHash, version: Version, isTombstone: boolean): EntryHash {
  const hash = new Murmur3(0);
  const highMs = Math.floor(version.wallMs / 2 ** 32);
  hash.block(key.low, key.high, version.wallMs | 0, (highMs << 16) | version.counter);
  hash.tail(version.member, isTombstone ? 1 : 0, 0, 0);
  return hash.end64(ENTRY_BYTES);
}

export function equalHashes(a: Hash64, b: Hash64): boolean {
  return a.high === b.high && a.low === b.low;
}

export const HASH_BYTES = 8;

/** Writes `hash` into 8 bytes of `target` at `offset`, big-endian. */
export function writeHash(hash: Hash64, target: Uint8Array, offset: number): void {
  const { high, low } = hash;
  for (let i = 0; i < 4; i++) {
    target[offset + i] = high >>> (24 - 8 * i);
    target[offset + 4 + i] = low >>> (24 - 8 * i);
  }
}

/** Reads what `writeHash` wrote. */
export function readHash(source: Uint8Array, offset: number): Hash64 {
  return { high: readInt32(source, offset), low: readInt32(source, offset + 4) };
}

function readInt32(source: Uint8Array, offset: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) value = (value << 8) | (source[offset + i] as number);
  return value;
}
