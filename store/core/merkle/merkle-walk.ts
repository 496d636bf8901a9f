import { equalHashes, HASH_BYTES, readHash } from './entry-hash.ts';
import type { MerkleTree } from './merkle-tree.ts';
import type { WalkAnswer, WalkAsk, WalkRefusal } from './walk-messages.ts';

export type WalkOptions = {
  /** Bounds each answer, and so how many nodes are asked for at once. */
  readonly answerBytesMax: number;
  /** Leaves that are not reported, e.g. since a write to one of their keys is on its way. Asked once per differing leaf. */
  readonly isExcluded: (leaf: number) => boolean;
};

export type WalkStep =
  /** Leaves that differ, ascending; often none. Each leaf is reported at most once in a walk. */
  | { readonly type: 'progress'; readonly differing: readonly number[] }
  /** An answer to an ask that was answered before, or never made: it changes nothing. */
  | { readonly type: 'stale' }
  /** The walk is over without a result: the other side refused, or its answer does not fit the ask. */
  | { readonly type: 'failed'; readonly reason: string };

/**
 * The asking side of a walk: finds the leaves in which its tree and another's differ, a level after the other. One
 * ask is open at a time: send what `ask()` gives until it gives undefined, and feed what comes back to `accept`.
 *
 * The deepest nodes are asked for first, so what waits is bounded by an answer's children per level, however much the
 * trees differ; and nothing is asked for until the caller wants more, so it sets the pace. The trees may change in
 * between: each answer is compared with the tree as it is then, and a difference that comes or goes meanwhile may be
 * missed or reported in vain. Reported leaves are candidates; their keys decide.
 */
export class MerkleWalk {
  readonly #options: WalkOptions;
  readonly #tree: MerkleTree;
  /** By level: nodes that differ and whose children are not asked for yet. */
  readonly #waiting: number[][];
  readonly #parentsMax: number;
  #open: WalkAsk | undefined;
  #asks = 0;
  #excludedCount = 0;

  constructor(options: WalkOptions, tree: MerkleTree) {
    const leastBytes = tree.shape.fanOut * HASH_BYTES;
    if (!(options.answerBytesMax >= leastBytes))
      throw new RangeError(
        `answers of ${options.answerBytesMax} bytes cannot hold a node's children: allow at least ${leastBytes}`,
      );
    this.#options = options;
    this.#tree = tree;
    this.#parentsMax = Math.floor(options.answerBytesMax / leastBytes);
    this.#waiting = Array.from({ length: tree.shape.depth }, () => []);
    this.#waiting[0] = [0];
  }

  /** How many leaves differ and were not reported, since they were excluded. */
  get excludedCount(): number {
    return this.#excludedCount;
  }

  /** How many asks were made, those sent again not counted. */
  get askCount(): number {
    return this.#asks;
  }

  /** What to send next: the open ask again while there is one (it may have been lost), undefined at the end. */
  ask(): WalkAsk | undefined {
    if (this.#open !== undefined) return this.#open;
    const level = this.#waiting.findLastIndex((nodes) => nodes.length > 0);
    if (level < 0) return undefined;
    this.#asks++;
    const parents = (this.#waiting[level] as number[]).splice(-this.#parentsMax);
    this.#open = { type: 'ask', number: this.#asks, shape: this.#tree.shape, level, parents };
    return this.#open;
  }

  /** Takes what the other side answered, in whatever order, and however often, it arrives. */
  accept(reply: WalkAnswer | WalkRefusal): WalkStep {
    const ask = this.#open;
    if (ask === undefined || reply.number !== ask.number) return { type: 'stale' };
    this.#open = undefined;
    if (reply.type === 'refusal') return this.#fail(reply.reason);
    const expectedBytes = ask.parents.length * this.#tree.shape.fanOut * HASH_BYTES;
    if (reply.hashes.length !== expectedBytes)
      return this.#fail(
        `the answer has ${reply.hashes.length} bytes of hashes, the ask wants ${expectedBytes}`,
      );
    const differing = differingChildren(this.#tree, ask, reply.hashes);
    if (ask.level + 1 === this.#tree.shape.depth)
      return { type: 'progress', differing: this.#withoutExcluded(differing) };
    this.#waiting[ask.level + 1]?.push(...differing);
    return { type: 'progress', differing: [] };
  }

  #withoutExcluded(leaves: readonly number[]): readonly number[] {
    const reported = leaves.filter((leaf) => !this.#options.isExcluded(leaf));
    this.#excludedCount += leaves.length - reported.length;
    return reported;
  }

  #fail(reason: string): WalkStep {
    for (const nodes of this.#waiting) nodes.length = 0;
    return { type: 'failed', reason };
  }
}

function differingChildren(tree: MerkleTree, ask: WalkAsk, hashes: Uint8Array): number[] {
  const differing: number[] = [];
  let at = 0;
  for (const parent of ask.parents) {
    const firstChild = parent * tree.shape.fanOut;
    for (const [child, mine] of tree.children(ask.level, parent).entries()) {
      if (!equalHashes(mine, readHash(hashes, at))) differing.push(firstChild + child);
      at += HASH_BYTES;
    }
  }
  return differing;
}
