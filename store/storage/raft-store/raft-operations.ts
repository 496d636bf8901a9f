import { type Entry, invariant, type PersistedState, plus } from '../../core/raft/types.ts';
import type { EngineOperation } from '../engine.ts';
import { raftKeys } from './raft-keys.ts';
import { putBounds, putEntry, putHardState, putPointer } from './raft-records.ts';
import { RAFT_STORE_DEFAULTS, type RaftStoreOptions } from './raft-store.ts';
import { pointerTo, putChunks } from './snapshot-chunks.ts';

const FIRST_GENERATION = 1;

/**
 * Operations that make a new log out of `state`, to be written in one synced batch together with others
 * (bootstrap, join, rejoin, recovery). They supersede whatever log was there: its remains are outside the new
 * bounds, are never read, and go at the next load. The whole snapshot is in the batch.
 */
export function createRaftOperations(
  state: PersistedState,
  options: RaftStoreOptions = RAFT_STORE_DEFAULTS,
): EngineOperation[] {
  const { snapshot, entries, hardState } = state;
  const keys = raftKeys(options.group);
  const pointer = pointerTo(snapshot, FIRST_GENERATION, options.chunkBytes);
  const first = entries[0]?.index ?? plus(snapshot.index, 1);
  const last = plus(first, entries.length - 1);
  invariant(first <= snapshot.index + 1 && last >= snapshot.index, `log ${first}..${last} has a gap`);
  return [
    ...putChunks(keys, snapshot.data, pointer),
    putPointer(keys.snapshot, pointer),
    ...entries.map((entry: Entry, i) => {
      invariant(entry.index === first + i, `a gap in the log before entry ${entry.index}`);
      return putEntry(keys.entry(entry.index), entry);
    }),
    putBounds(keys.bounds, { first, last }),
    putHardState(keys.hardState, hardState),
  ];
}

/**
 * Batches that remove whatever Raft state there is, to be written in this order; others may be added to the first.
 * After a crash between them `load` says `damaged`, and they are written again: a directory that is no member's
 * has no use for a log.
 */
export function removeRaftBatches(
  options: Pick<RaftStoreOptions, 'group'> = RAFT_STORE_DEFAULTS,
): readonly (readonly EngineOperation[])[] {
  const keys = raftKeys(options.group);
  const records = [keys.hardState, keys.bounds, keys.snapshot];
  return [
    records.map((key) => ({ type: 'delete', key }) as const),
    [{ type: 'delete-range', ...keys.all } as const],
  ];
}
