import type { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import { deserialiseTree, serialiseTree } from '../../core/merkle/serialise.ts';
import type { TreeShape } from '../../core/merkle/tree-shape.ts';
import { asBuffer, ENVELOPE_BYTES, open, seal } from '../../storage/checksum.ts';
import type { Engine, EngineOperation } from '../../storage/engine.ts';
import { metaKey } from '../../storage/key-layout.ts';
import { deleteMeta, type MetaStore, putMeta } from '../../storage/meta-store.ts';

/**
 * Trees survive a clean stop only: `trees` says which of those that lie there belong to the data, and is durably gone before
 * the first write of the next run.
 */
const MARKER = 'trees';

/** Trees that are written together: 1 MiB of the usual shape. */
const TREES_AT_ONCE = 32;

const treeKey = (partition: number): Uint8Array => metaKey(`tree-${partition}`);

/** Nothing may be written after it, and nothing may be under way. */
export async function saveTrees(engine: Engine, trees: ReadonlyMap<number, MerkleTree>): Promise<void> {
  const all = [...trees];
  for (let at = 0; at < all.length; at += TREES_AT_ONCE)
    await engine.write(all.slice(at, at + TREES_AT_ONCE).map(putTree), { sync: true });
  await engine.write([putMeta(MARKER, { partitions: [...trees.keys()] })], { sync: true });
}

/** The trees of the last clean stop. Once it resolves, they will not be taken again. */
export async function takeTrees(
  shape: TreeShape,
  deps: { readonly engine: Engine; readonly meta: MetaStore },
): Promise<Map<number, MerkleTree>> {
  const trees = new Map<number, MerkleTree>();
  let marker: unknown;
  try {
    marker = await deps.meta.read(MARKER);
    if (marker === undefined) return trees;
  } catch {
    // Damaged: as if there were none, and removed like one.
  }
  const partitions = (marker as { readonly partitions: readonly number[] } | undefined)?.partitions ?? [];
  for (const partition of partitions) {
    const tree = await readTree(deps.engine, partition, shape);
    if (tree !== undefined) trees.set(partition, tree);
  }
  await deps.engine.write([deleteMeta(MARKER)], { sync: true });
  return trees;
}

async function readTree(
  engine: Engine,
  partition: number,
  shape: TreeShape,
): Promise<MerkleTree | undefined> {
  const key = treeKey(partition);
  const value = await engine.get(key);
  if (value === undefined || open(key, asBuffer(value)).type !== 'intact') return undefined;
  return deserialiseTree(value.subarray(ENVELOPE_BYTES), shape);
}

function putTree([partition, tree]: readonly [number, MerkleTree]): EngineOperation {
  const key = treeKey(partition);
  const value = Buffer.concat([Buffer.alloc(ENVELOPE_BYTES), serialiseTree(tree)]);
  seal(key, value);
  return { type: 'put', key, value };
}
