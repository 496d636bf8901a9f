import { hashEntry, writeHash } from './entry-hash.ts';
import { absorbBytes, Murmur3 } from './murmur3.ts';
import { type TestData, testKeyHash } from './test-tree.ts';
import type { TreeShape } from './tree-shape.ts';

/** The dumb tree that `MerkleTree` is checked against: every level as text, built from scratch, sums as BigInt. */
export function dumbLevels(shape: TreeShape, data: TestData): readonly (readonly string[])[] {
  let level = dumbLeaves(shape, data);
  const levels = [level];
  for (let depth = shape.depth - 1; depth >= 0; depth--) {
    level = Array.from({ length: shape.fanOut ** depth }, (_, i) =>
      hashOf(depth, level.slice(i * shape.fanOut, (i + 1) * shape.fanOut)),
    );
    levels.unshift(level);
  }
  return levels;
}

function dumbLeaves(shape: TreeShape, data: TestData): string[] {
  const sums = Array.from({ length: shape.fanOut ** shape.depth }, () => ({ high: 0n, low: 0n }));
  for (const [name, { wallMs, isTombstone }] of data) {
    const key = testKeyHash(name);
    const { high, low } = hashEntry(key, { wallMs, counter: 0, member: 1 }, isTombstone);
    const sum = sums[Math.floor(((key.high >>> 0) / 2 ** 32) * sums.length)];
    if (sum === undefined) throw new Error(`the leaf of ${name} does not exist`);
    sum.high += BigInt(high);
    sum.low += BigInt(low);
  }
  return sums.map(({ high, low }) => hexOf(Number(BigInt.asIntN(32, high)), Number(BigInt.asIntN(32, low))));
}

/** An inner node: the hash of its children's words, each word little-endian, seeded with the level. */
function hashOf(level: number, children: readonly string[]): string {
  const words = children.flatMap((hex) => [hex.slice(0, 8), hex.slice(8)]);
  const bytes = words.flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((byte) => Number(`0x${byte}`)),
  );
  const hash = new Murmur3(level);
  absorbBytes(hash, Uint8Array.from(bytes));
  const { high, low } = hash.end64(bytes.length);
  return hexOf(high, low);
}

export function hexOf(high: number, low: number): string {
  const bytes = new Uint8Array(8);
  writeHash({ high, low }, bytes, 0);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
