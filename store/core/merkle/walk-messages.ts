import type { TreeShape } from './tree-shape.ts';

/**
 * What two replicas say to each other to find where their trees of a partition differ. One asks, the other answers
 * and keeps nothing in between. Whoever sends these adds which partition and which walk they belong to.
 */
export type WalkAsk = {
  readonly type: 'ask';
  /** 1, 2, ...; the answer repeats it. */
  readonly number: number;
  readonly shape: TreeShape;
  /** The level of `parents`: 0 is the root. */
  readonly level: number;
  /** Ascending indices of the nodes whose children are asked for; never none. */
  readonly parents: readonly number[];
};

export type WalkAnswer = {
  readonly type: 'answer';
  readonly number: number;
  /** The hashes of the children of each parent in turn: parents x fan-out x 8 bytes. */
  readonly hashes: Uint8Array;
};

/** The ask cannot be answered; asked again, it would be refused again. */
export type WalkRefusal = {
  readonly type: 'refusal';
  readonly number: number;
  readonly reason: string;
};

/** The most bytes of hashes in an answer, where nothing else is configured: 64 nodes of fan-out 16. */
export const WALK_ANSWER_BYTES = 8192;
