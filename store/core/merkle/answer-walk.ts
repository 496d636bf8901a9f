import { HASH_BYTES, writeHash } from './entry-hash.ts';
import type { MerkleTree } from './merkle-tree.ts';
import { equalShapes, nodesOnLevel } from './tree-shape.ts';
import type { WalkAnswer, WalkAsk, WalkRefusal } from './walk-messages.ts';

export type AnswerLimits = { readonly answerBytesMax: number };

/** The answering side of a walk. `ask` comes from outside: whatever it says, the answer stays within the limit. */
export function answerWalk(limits: AnswerLimits, tree: MerkleTree, ask: WalkAsk): WalkAnswer | WalkRefusal {
  const reason = refusalReason(limits, tree, ask);
  if (reason !== undefined) return { type: 'refusal', number: ask.number, reason };
  return { type: 'answer', number: ask.number, hashes: hashesOfChildren(tree, ask) };
}

function hashesOfChildren(tree: MerkleTree, ask: WalkAsk): Uint8Array {
  const hashes = new Uint8Array(ask.parents.length * tree.shape.fanOut * HASH_BYTES);
  let at = 0;
  for (const parent of ask.parents) {
    for (const child of tree.children(ask.level, parent)) {
      writeHash(child, hashes, at);
      at += HASH_BYTES;
    }
  }
  return hashes;
}

function refusalReason(limits: AnswerLimits, tree: MerkleTree, ask: WalkAsk): string | undefined {
  const { shape, level, parents } = ask;
  if (!equalShapes(shape, tree.shape))
    return `the trees have different shapes: ${shape.fanOut}^${shape.depth} leaves asked for, ${tree.shape.fanOut}^${tree.shape.depth} here; configure both alike`;
  if (!Number.isInteger(level) || level < 0 || level >= shape.depth)
    return `level ${level} has no inner nodes: ask for 0 to ${shape.depth - 1}`;
  const parentsMax = Math.floor(limits.answerBytesMax / (shape.fanOut * HASH_BYTES));
  if (parents.length === 0 || parents.length > parentsMax)
    return `${parents.length} nodes were asked for: ask for 1 to ${parentsMax} at once`;
  const count = nodesOnLevel(shape, level);
  const wrong = parents.find((index) => !Number.isInteger(index) || index < 0 || index >= count);
  return wrong === undefined ? undefined : `level ${level} has no node ${wrong}: ask for 0 to ${count - 1}`;
}
