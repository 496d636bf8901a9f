/**
 * The form of a tree: every inner node has `fanOut` children, and the leaves lie `depth` levels below the root.
 * Only trees of the same shape can be compared.
 */
export type TreeShape = { readonly fanOut: number; readonly depth: number };

/** 16 x 16 x 16 = 4,096 leaves. */
export const DEFAULT_SHAPE: TreeShape = { fanOut: 16, depth: 3 };

export const FAN_OUT_MAX = 256;
export const LEAF_COUNT_MAX = 65_536;

export function checkShape(shape: TreeShape): TreeShape {
  const { fanOut, depth } = shape;
  const isPowerOfTwo = Number.isInteger(fanOut) && fanOut > 0 && (fanOut & (fanOut - 1)) === 0;
  if (!isPowerOfTwo || fanOut < 2 || fanOut > FAN_OUT_MAX)
    throw new RangeError(
      `a Merkle tree's fan-out is a power of two from 2 to ${FAN_OUT_MAX}, not ${fanOut}: take for example 16`,
    );
  if (!Number.isInteger(depth) || depth < 1 || fanOut ** depth > LEAF_COUNT_MAX)
    throw new RangeError(
      `a Merkle tree of depth ${depth} with fan-out ${fanOut} is not allowed: the depth is at least 1, and the ` +
        `leaves, fan-out to the power of depth, are at most ${LEAF_COUNT_MAX}; take for example 16 and 3`,
    );
  return { fanOut, depth };
}

export function equalShapes(a: TreeShape, b: TreeShape): boolean {
  return a.fanOut === b.fanOut && a.depth === b.depth;
}

/** By how many bits the high word of a key's hash is above the number of its leaf. */
export function leafShiftOf({ fanOut, depth }: TreeShape): number {
  return 32 - Math.log2(fanOut) * depth;
}

/** How many nodes lie on `level`; level 0 is the root, level `depth` the leaves. */
export function nodesOnLevel(shape: TreeShape, level: number): number {
  return shape.fanOut ** level;
}

/** How many nodes lie above `level`: where the level begins in an array of all nodes, top down. */
export function nodesAbove(shape: TreeShape, level: number): number {
  return (shape.fanOut ** level - 1) / (shape.fanOut - 1);
}

/** Bytes of arrays that a tree holds: two words for each node, and a mark for each inner node. */
export function treeBytes(shape: TreeShape): number {
  return 8 * nodesAbove(shape, shape.depth + 1) + nodesAbove(shape, shape.depth);
}
