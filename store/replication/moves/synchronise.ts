import type { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { MoveAt } from '../../core/topology/types.ts';
import { compareVersions } from '../../core/version/version.ts';
import type { PartitionAt } from '../../peer/data-messages.ts';
import type { Cargo, Carried } from '../exchange/carry.ts';
import { CarryQueue } from '../exchange/carry-queue.ts';
import { isFailure } from '../exchange/data-asker.ts';
import { findLeaves } from '../exchange/find-leaves.ts';
import { type MergedKey, mergedLeaves } from '../exchange/merged-leaves.ts';
import { type MoveOptions, notYet, type TransferDeps, type Transferred } from './move-options.ts';

/**
 * Makes this member hold, durably, whatever `source` holds as this begins, or something newer (DESIGN section 8, stage 2). It
 * skips nothing as "in flight": the source has confirmed, so what it accepted under older epochs is in its tree. Where a
 * leaf's hashes agree, this member held all that the source held when it answered; every key of the others is compared.
 */
export async function synchronise(
  { self, limits }: MoveOptions,
  deps: TransferDeps,
  at: MoveAt,
  source: MemberId,
  signal: AbortSignal,
): Promise<Transferred> {
  const { replica } = deps;
  const before = await damageOf(deps, at, source);
  if (typeof before === 'string') return notYet(before);
  const owned = replica.owned(at.partition);
  if (owned?.epoch !== at.epoch) return notYet('the epoch is not served here yet');
  const { tree } = owned;
  if (tree === undefined) return notYet('its Merkle tree is being built');
  const brought = await bring({ self, limits }, deps, at, source, tree, signal);
  if (brought.type === 'not-yet') return brought;
  // One that was dropped meanwhile may have counted what is damaged here, and agreed where this member holds nothing.
  if (replica.owned(at.partition)?.tree !== tree) return notYet('its Merkle tree was built again meanwhile');
  const after = await damageOf(deps, at, source);
  if (typeof after === 'string') return notYet(after);
  // It may have been damaged, left out of the tree, and healed again while the trees were walked.
  return before === after ? brought : notYet(`damage was found at member ${source} meanwhile`);
}

/**
 * How often damage was found there; or, in words, why the source cannot be trusted to give all that it holds: its tree leaves
 * out records that fail their checksum, and one of them may be on no other source. They are healed from the others.
 */
async function damageOf(
  { asker }: TransferDeps,
  { partition, epoch }: PartitionAt,
  source: MemberId,
): Promise<number | string> {
  const reply = await asker.ask('roots', { type: 'roots', to: source, partitions: [{ partition, epoch }] });
  if (isFailure(reply)) return reply.reason;
  const root = reply.roots[0];
  if (root?.state !== 'ready' || root.epoch !== epoch) return `member ${source} has no tree of it yet`;
  if (root.damaged === 0) return root.damagesFound;
  return `${root.damaged} of its records are damaged at member ${source}, and must be healed from others first`;
}

/** Of each leaf that differs, what this member lacks. */
async function bring(
  { self, limits }: MoveOptions,
  deps: TransferDeps,
  at: MoveAt,
  source: MemberId,
  tree: MerkleTree,
  signal: AbortSignal,
): Promise<Transferred> {
  const { asker } = deps;
  const { walkAnswerBytesMax: answerBytesMax, leafEntriesMax: entriesMax } = limits;
  const find = { at, member: source, answerBytesMax, isExcluded: () => false };
  const found = await findLeaves(find, tree, asker);
  if (isFailure(found)) return notYet(found.reason);
  const carry = async (cargo: Cargo): Promise<Carried> => {
    const carried = await deps.carry(cargo, signal);
    if (carried.bytes > 0) deps.onBytes(at, carried.bytes);
    return carried;
  };
  const queue = new CarryQueue(limits, { carry });
  const keys = mergedLeaves({ at, members: [self, source], leaves: found.leaves, entriesMax }, asker);
  for await (const key of keys) {
    if ('type' in key) return notYet(key.reason);
    if (signal.aborted) return notYet('the node stops');
    const { namespaceId, key: name } = key;
    if (isBehind(key, self, source))
      await queue.add({ ...at, namespaceId, key: name, from: source, to: [self] });
    if (queue.isStopped) break;
  }
  await queue.drain();
  const { bytes, problem } = queue.total;
  // One key that could not be brought is one that may be on no other source.
  return problem === undefined ? { type: 'transferred', bytes } : notYet(problem.reason);
}

function isBehind({ entries }: MergedKey, self: MemberId, source: MemberId): boolean {
  const theirs = entries.get(source);
  const mine = entries.get(self);
  return theirs !== undefined && (mine === undefined || compareVersions(mine.version, theirs.version) < 0);
}
