import {
  type Entry,
  type HardState,
  type LogIndex,
  type PersistedState,
  plus,
  type Snapshot,
} from '../../core/raft/types.ts';
import type { Engine, EngineView } from '../engine.ts';
import { type ScannedEntries, scanEntries } from './entry-scan.ts';
import type { RaftKeys } from './raft-keys.ts';
import {
  type Bounds,
  DamagedRecord,
  readBounds,
  readHardState,
  readPointer,
  type SnapshotPointer,
} from './raft-records.ts';
import { readSnapshot } from './snapshot-chunks.ts';

export type LoadedRaft =
  /** There is nothing. Of a directory that is a member's this is damage: see `asMember`. */
  | { readonly type: 'empty' }
  /** `cutEntries` were behind the end of the log: they belong to no write that completed. */
  | { readonly type: 'intact'; readonly state: PersistedState; readonly cutEntries: number }
  | DamagedRaft;

/**
 * Something that was promised is gone: this member must neither vote nor lead, and rejoins as a replacement. What
 * can still be read is for a recovery by hand: `entries` is the longest whole beginning of the log.
 */
export type DamagedRaft = {
  readonly type: 'damaged';
  /** What is wrong, and where. */
  readonly reason: string;
  /** The end of the log, as far as it is known. */
  readonly lastIndex: LogIndex | undefined;
  readonly hardState: HardState | undefined;
  readonly snapshot: Snapshot | undefined;
  readonly entries: readonly Entry[];
};

/** What the store goes on from. */
export type OnDisk = { readonly bounds: Bounds; readonly pointer: SnapshotPointer };

export type LoadOutcome = {
  readonly loaded: LoadedRaft;
  /** Present where the state is intact. */
  readonly onDisk: OnDisk | undefined;
};

type Part<T> = { readonly value: T | undefined; readonly problem: string | undefined };

/** Reads the whole log. A read that fails is an error, never the end of what is there (R19, R27). */
export async function loadRaft(engine: Engine, keys: RaftKeys): Promise<LoadOutcome> {
  const [hardStored, boundsStored, pointerStored] = await engine.getMany([
    keys.hardState,
    keys.bounds,
    keys.snapshot,
  ]);
  await using view = engine.openView({ reverse: false });
  if (!hardStored && !boundsStored && !pointerStored && (await isEmpty(view, keys)))
    return { loaded: { type: 'empty' }, onDisk: undefined };
  const hardState = part(hardStored, 'term and vote', (value) => readHardState(keys.hardState, value));
  const bounds = part(boundsStored, 'the bounds of the log', (value) => readBounds(keys.bounds, value));
  const pointer = part(pointerStored, 'the snapshot', (value) => readPointer(keys.snapshot, value));
  const snapshot = await snapshotPart(view, keys, pointer.value);
  const scanned = await scanEntries(view, keys, bounds.value);
  const recordProblem = hardState.problem ?? bounds.problem ?? pointer.problem ?? snapshot.problem;
  const parts = { hardState: hardState.value, snapshot: snapshot.value, scanned, bounds: bounds.value };
  const problem = recordProblem ?? scanned.problem ?? contradictionIn(parts);
  if (problem !== undefined) return { loaded: damaged(problem, parts), onDisk: undefined };
  return intact(parts as Complete, pointer.value as SnapshotPointer);
}

type Parts = {
  readonly hardState: HardState | undefined;
  readonly bounds: Bounds | undefined;
  readonly snapshot: Snapshot | undefined;
  readonly scanned: ScannedEntries;
};
type Complete = { [Name in keyof Parts]: Exclude<Parts[Name], undefined> };

function intact({ hardState, bounds, snapshot, scanned }: Complete, pointer: SnapshotPointer): LoadOutcome {
  const state = { hardState, snapshot, entries: scanned.entries, applied: snapshot.index };
  return {
    loaded: { type: 'intact', state, cutEntries: scanned.behindEnd },
    onDisk: { bounds, pointer },
  };
}

function damaged(reason: string, { hardState, snapshot, bounds, scanned }: Parts): DamagedRaft {
  const lastIndex = bounds?.last ?? scanned.lastSeen;
  return { type: 'damaged', reason, lastIndex, hardState, snapshot, entries: scanned.entries };
}

/** What cannot be where every write was completed or not begun; undefined where all is well. */
function contradictionIn({ hardState, bounds, snapshot, scanned }: Parts): string | undefined {
  if (!hardState || !bounds || !snapshot) return undefined;
  const lastTerm = scanned.entries.at(-1)?.term ?? snapshot.term;
  const own = scanned.entries[snapshot.index - bounds.first];
  if (bounds.first > snapshot.index + 1)
    return `the log begins at ${bounds.first} and the snapshot ends at ${snapshot.index}`;
  if (bounds.last < snapshot.index)
    return `the log ends at ${bounds.last}, before the snapshot's ${snapshot.index}`;
  if (hardState.commit > bounds.last)
    return `the log ends at ${bounds.last}, and ${hardState.commit} is committed`;
  if (hardState.term < lastTerm) return `the term ${hardState.term} is below the log's ${lastTerm}`;
  if (own !== undefined && own.term !== snapshot.term)
    return `entry ${own.index} is of term ${own.term}, and the snapshot of it of term ${snapshot.term}`;
  return undefined;
}

function part<T>(stored: Uint8Array | undefined, what: string, read: (stored: Uint8Array) => T): Part<T> {
  if (stored === undefined) return { value: undefined, problem: `the record of ${what} is missing` };
  try {
    return { value: read(stored), problem: undefined };
  } catch (error) {
    if (error instanceof DamagedRecord) return { value: undefined, problem: error.message };
    throw error;
  }
}

async function snapshotPart(
  view: EngineView,
  keys: RaftKeys,
  pointer: SnapshotPointer | undefined,
): Promise<Part<Snapshot>> {
  if (pointer === undefined) return { value: undefined, problem: undefined };
  try {
    return { value: await readSnapshot(view, keys, pointer), problem: undefined };
  } catch (error) {
    if (error instanceof DamagedRecord) return { value: undefined, problem: error.message };
    throw error;
  }
}

async function isEmpty(view: EngineView, keys: RaftKeys): Promise<boolean> {
  const { entries } = await view.page(keys.all, { entriesMax: 1, bytesMax: 1 });
  return entries.length === 0;
}

/** What a log of a directory means whose identity says that it is a member's: there is one, or it was lost (R24). */
export function asMember(loaded: LoadedRaft): Exclude<LoadedRaft, { readonly type: 'empty' }> {
  if (loaded.type !== 'empty') return loaded;
  const reason = 'the directory is of a member of a cluster, and has no Raft log';
  return {
    type: 'damaged',
    reason,
    lastIndex: undefined,
    hardState: undefined,
    snapshot: undefined,
    entries: [],
  };
}

/** The bounds of the log once `snapshot` has replaced it. */
export const boundsAfter = (snapshot: Snapshot): Bounds => ({
  first: plus(snapshot.index, 1),
  last: snapshot.index,
});
