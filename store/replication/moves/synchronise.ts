import type { MemberId } from '../../core/raft/types.ts';
import type { MoveAt } from '../../core/topology/types.ts';
import { compareVersions } from '../../core/version/version.ts';
import type { Cargo, Carried } from '../exchange/carry.ts';
import { CarryQueue } from '../exchange/carry-queue.ts';
import { isFailure } from '../exchange/data-asker.ts';
import { findLeaves } from '../exchange/find-leaves.ts';
import { type MergedKey, mergedLeaves } from '../exchange/merged-leaves.ts';
import { type MoveOptions, notYet, type TransferDeps, type Transferred } from './move-options.ts';

/**
 * Makes this member hold, durably, whatever `source` holds as this begins, or something newer (docs/moves.md, `transfer`). It
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
  const { asker, replica } = deps;
  const owned = replica.owned(at.partition);
  if (owned?.epoch !== at.epoch) return notYet('the epoch is not served here yet');
  const { tree } = owned;
  if (tree === undefined) return notYet('its Merkle tree is being built');
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
  // One that was dropped meanwhile may have counted what is damaged here, and agreed where this member holds nothing.
  if (replica.owned(at.partition)?.tree !== tree) return notYet('its Merkle tree was built again meanwhile');
  const { bytes, problem } = queue.total;
  // One key that could not be brought is one that may be on no other source.
  return problem === undefined ? { type: 'transferred', bytes } : notYet(problem.reason);
}

function isBehind({ entries }: MergedKey, self: MemberId, source: MemberId): boolean {
  const theirs = entries.get(source);
  const mine = entries.get(self);
  return theirs !== undefined && (mine === undefined || compareVersions(mine.version, theirs.version) < 0);
}
