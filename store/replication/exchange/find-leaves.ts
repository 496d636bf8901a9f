import type { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import { MerkleWalk } from '../../core/merkle/merkle-walk.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { PartitionAt } from '../../peer/data-messages.ts';
import { type AskFailure, type DataAsker, isFailure } from './data-asker.ts';

export type FoundLeaves = {
  readonly type: 'found';
  readonly leaves: ReadonlySet<number>;
  /** Of hashes. */
  readonly bytes: number;
};

export type FindOptions = {
  readonly at: PartitionAt;
  readonly member: MemberId;
  readonly answerBytesMax: number;
  readonly isExcluded: (leaf: number) => boolean;
};

/** Walks `tree` and `member`'s of the same partition, to the end. A set of leaves is small, however much they differ. */
export async function findLeaves(
  { at, member, answerBytesMax, isExcluded }: FindOptions,
  tree: MerkleTree,
  asker: DataAsker,
): Promise<FoundLeaves | AskFailure> {
  const walk = new MerkleWalk({ answerBytesMax, isExcluded }, tree);
  const leaves = new Set<number>();
  let bytes = 0;
  for (let ask = walk.ask(); ask !== undefined; ask = walk.ask()) {
    const { partition, epoch } = at;
    const reply = await asker.ask('walk', { type: 'walk', to: member, partition, epoch, ask });
    if (isFailure(reply)) return reply;
    const step = walk.accept(reply.answer);
    if (step.type !== 'progress') return { type: 'failed', reason: describe(step), epoch: undefined };
    if (reply.answer.type === 'answer') bytes += reply.answer.hashes.length;
    for (const leaf of step.differing) leaves.add(leaf);
  }
  return { type: 'found', leaves, bytes };
}

function describe(step: { readonly type: 'stale' } | { readonly type: 'failed'; readonly reason: string }) {
  return step.type === 'stale' ? 'the walk was answered under another number' : step.reason;
}
