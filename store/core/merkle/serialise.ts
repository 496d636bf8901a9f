import { equalHashes, HASH_BYTES, readHash, writeHash } from './entry-hash.ts';
import { MerkleTree } from './merkle-tree.ts';
import { checkShape, nodesOnLevel, type TreeShape } from './tree-shape.ts';

/**
 * A tree as bytes, big-endian: format (u8), fan-out (u16), depth (u8), entries (u48), root (8 bytes), leaf sums
 * (8 bytes each). Inner nodes are derived. The root is read back to see that nothing was damaged.
 */
const FORMAT = 1;
const HEADER_BYTES = 10;
const LEAVES_AT = HEADER_BYTES + HASH_BYTES;

export function serialiseTree(tree: MerkleTree): Uint8Array {
  if (tree.entryCount < 0)
    throw new RangeError(
      `a tree with ${tree.entryCount} entries is not kept: add it to the tree it belongs to first`,
    );
  const words = tree.leafWords();
  const bytes = new Uint8Array(LEAVES_AT + 4 * words.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, FORMAT);
  view.setUint16(1, tree.shape.fanOut);
  view.setUint8(3, tree.shape.depth);
  view.setUint16(4, Math.floor(tree.entryCount / 2 ** 32));
  view.setUint32(6, tree.entryCount >>> 0);
  writeHash(tree.root(), bytes, HEADER_BYTES);
  for (const [i, word] of words.entries()) view.setInt32(LEAVES_AT + 4 * i, word);
  return bytes;
}

/**
 * The tree that was serialised, or undefined where `bytes` are not one of this format and `shape`, or are damaged:
 * the caller rebuilds it from its data then.
 */
export function deserialiseTree(bytes: Uint8Array, shape: TreeShape): MerkleTree | undefined {
  const { fanOut, depth } = checkShape(shape);
  const leafWordCount = 2 * nodesOnLevel(shape, depth);
  if (bytes.length !== LEAVES_AT + 4 * leafWordCount) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint8(0) !== FORMAT || view.getUint16(1) !== fanOut || view.getUint8(3) !== depth)
    return undefined;
  const tree = new MerkleTree(shape);
  const words = new Int32Array(leafWordCount);
  for (let i = 0; i < leafWordCount; i++) words[i] = view.getInt32(LEAVES_AT + 4 * i);
  tree.addLeaves(words, view.getUint16(4) * 2 ** 32 + view.getUint32(6));
  return equalHashes(tree.root(), readHash(bytes, HEADER_BYTES)) ? tree : undefined;
}
