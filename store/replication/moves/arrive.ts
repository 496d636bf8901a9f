import { sourcesNeeded } from '../../core/moves/rules.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { MoveAt } from '../../core/topology/types.ts';
import { toEpoch } from '../../core/topology/types.ts';
import type { RootOf } from '../../peer/data-messages.ts';
import { isFailure } from '../exchange/data-asker.ts';
import { maxVersion } from '../replica/partition-facts.ts';
import type { Promises } from '../replica/replica.ts';
import { copyBulk } from './copy-bulk.ts';
import {
  type BulkProgress,
  type MoveOptions,
  notYet,
  type TransferDeps,
  type Transferred,
} from './move-options.ts';
import { synchronise } from './synchronise.ts';

/**
 * Brings this member into a partition, in the stage `joint` (docs/moves.md): it takes over what the set before promised, empties
 * the partition once in the session, and fills it with the bulk. Called again, also after a restart, it goes on where it was.
 * `from`: the set before, in the order in which to ask.
 */
export async function arrive(
  options: MoveOptions,
  deps: TransferDeps,
  at: MoveAt,
  from: readonly MemberId[],
  progress: BulkProgress,
  signal: AbortSignal,
): Promise<Transferred> {
  const { replica } = deps;
  const { partition, session } = at;
  const problem = await whyNoRoom(deps, at, from);
  if (problem !== undefined) return notYet(problem);
  if (!replica.hasEntered(partition, session)) {
    const promises = await promisesOf(deps, at, from);
    if ('type' in promises) return promises;
    if (!(await replica.enter(partition, session, promises))) return notYet('the move has ended');
    progress.isFresh = true;
  }
  const filled = await fill(options, deps, { at, from, progress }, signal);
  if (filled.type === 'transferred') deps.onArrived(partition);
  return filled;
}

/** As large as the first of them says that the partition is; where none says anything, writes are refused before the disk is full. */
async function whyNoRoom(
  deps: TransferDeps,
  at: MoveAt,
  from: readonly MemberId[],
): Promise<string | undefined> {
  for (const member of from) {
    const bytes = await deps.sizes.of(at.partition, member);
    if (bytes !== undefined) return deps.whyNoRoom(at, bytes);
  }
  return undefined;
}

/**
 * The highest floor and watermark of those of F that answer under the epoch of the move. A round under an older epoch ends no
 * more, and one that ended has its floor at each of F: so any of them would do. Nobody waits for more than are needed: one that is lost
 * never answers, and would cost each partition the time that a request is given.
 */
async function promisesOf(
  deps: TransferDeps,
  at: MoveAt,
  from: readonly MemberId[],
): Promise<Promises | Transferred> {
  const needed = sourcesNeeded(from);
  const roots = await firstRoots(deps, at, from, needed);
  const [first, ...others] = roots;
  if (first === undefined || roots.length < needed)
    return notYet(`${roots.length} of the set before answer under epoch ${at.epoch}; ${needed} are needed`);
  return others.reduce<Promises>(
    (most, { floor, watermark }) => ({
      floor: maxVersion(most.floor, floor),
      watermark: maxVersion(most.watermark, watermark),
    }),
    first,
  );
}

/** The first `needed` roots under the epoch of the move; fewer where all have answered. */
async function firstRoots(
  { asker }: TransferDeps,
  { partition, epoch }: MoveAt,
  from: readonly MemberId[],
  needed: number,
): Promise<readonly RootOf[]> {
  const roots: RootOf[] = [];
  const enough = Promise.withResolvers<void>();
  const asked = from.map(async (to) => {
    const partitions = [{ partition, epoch: toEpoch(epoch) }];
    const answer = await asker.ask('roots', { type: 'roots', to, partitions });
    const root = isFailure(answer) ? undefined : answer.roots[0];
    if (root !== undefined && root.state !== 'refused' && root.epoch === epoch) roots.push(root);
    if (roots.length >= needed) enough.resolve();
  });
  await Promise.race([enough.promise, Promise.all(asked)]);
  return [...roots];
}

type Filling = { readonly at: MoveAt; readonly from: readonly MemberId[]; readonly progress: BulkProgress };

/**
 * From the first that gives all of it. What is there already, of an attempt before, is not copied again: pages go on behind the last one, and
 * after a restart the trees are compared. What clients wrote meanwhile is no reason to compare: key by key the bulk costs many times more.
 */
async function fill(
  options: MoveOptions,
  deps: TransferDeps,
  { at, from, progress }: Filling,
  signal: AbortSignal,
): Promise<Transferred> {
  let last = notYet('none of the set before can be asked');
  for (const source of from) {
    const tree = deps.replica.owned(at.partition)?.tree;
    if (tree === undefined) return notYet('its Merkle tree is being built');
    last =
      progress.isFresh || tree.entryCount === 0
        ? await copyBulk(options, deps, { at, progress }, source, signal)
        : await synchronise(options, deps, at, source, signal);
    if (last.type === 'transferred' || signal.aborted) return last;
  }
  return last;
}
