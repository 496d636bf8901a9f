import {
  type Entry,
  type HardState,
  invariant,
  type LogIndex,
  maxIndex,
  plus,
  type Snapshot,
} from '../../core/raft/types.ts';
import type { Engine, EngineOperation, KeyRange } from '../engine.ts';
import { boundsAfter, type LoadedRaft, loadRaft, type OnDisk } from './load-raft.ts';
import { type RaftKeys, raftKeys, TOPOLOGY_GROUP } from './raft-keys.ts';
import {
  type Bounds,
  putBounds,
  putEntry,
  putHardState,
  putPointer,
  type SnapshotPointer,
} from './raft-records.ts';
import { chunksOf, generationRange, pointerTo, putChunks, strayChunks } from './snapshot-chunks.ts';

export type RaftStoreOptions = {
  /** The Raft group; 0 keeps the topology. */
  readonly group: number;
  /** A snapshot is stored in pieces of this size. */
  readonly chunkBytes: number;
};

export const RAFT_STORE_DEFAULTS: RaftStoreOptions = { group: TOPOLOGY_GROUP, chunkBytes: 1 << 20 };

/** What a Ready asks to persist. */
export type RaftWork = {
  readonly snapshot: Snapshot | undefined;
  readonly entries: readonly Entry[];
  readonly hardState: HardState | undefined;
};

/**
 * The log of one Raft group in the node's engine. Everything that is promised is written in one atomic batch with
 * the record of the log's bounds, so that a crash leaves the state before or after, and an entry within the bounds
 * that is gone or damaged is known to be missed.
 */
export type RaftStore = {
  /** Reads the state and removes what half finished writes left; must say `intact` before anything is written. */
  load(): Promise<LoadedRaft>;
  /**
   * One at a time. Writes in one atomic batch: `snapshot`, which replaces the whole log; `entries`, which replace
   * everything from the first one's index on; `hardState`. A snapshot is always synced.
   */
  persist(work: RaftWork, options: { readonly sync: boolean }): Promise<void>;
  /**
   * Stores a snapshot of the own state machine and drops entries below `keepFrom`; durable when resolved. It may
   * run beside `persist`; where a newer snapshot is or arrives there, nothing happens.
   */
  saveSnapshot(snapshot: Snapshot, keepFrom: LogIndex): Promise<void>;
};

export function openRaftStore(
  deps: { readonly engine: Engine },
  options: RaftStoreOptions = RAFT_STORE_DEFAULTS,
): RaftStore {
  return new EngineRaftStore(options, deps);
}

class EngineRaftStore implements RaftStore {
  readonly #engine: Engine;
  readonly #keys: RaftKeys;
  readonly #chunkBytes: number;
  /** As of the last batch that was given to the engine, which takes them in the order of the calls. */
  #disk: OnDisk | undefined;
  #nextGeneration = 0;
  #isPersisting = false;

  constructor(options: RaftStoreOptions, deps: { readonly engine: Engine }) {
    this.#engine = deps.engine;
    this.#keys = raftKeys(options.group);
    this.#chunkBytes = options.chunkBytes;
  }

  async load(): Promise<LoadedRaft> {
    this.#disk = undefined;
    const { loaded, onDisk } = await loadRaft(this.#engine, this.#keys);
    if (onDisk === undefined) return loaded;
    await this.#removeRemains(onDisk);
    this.#nextGeneration = onDisk.pointer.generation + 1;
    this.#disk = onDisk;
    return loaded;
  }

  async persist(work: RaftWork, { sync }: { readonly sync: boolean }): Promise<void> {
    invariant(!this.#isPersisting, 'persist() before the last one resolved');
    this.#isPersisting = true;
    try {
      if (work.snapshot === undefined) await this.#append(work, sync);
      else await this.#install(work, work.snapshot);
    } finally {
      this.#isPersisting = false;
    }
  }

  async saveSnapshot(snapshot: Snapshot, keepFrom: LogIndex): Promise<void> {
    if (snapshot.index <= this.#loaded().pointer.index) return;
    invariant(keepFrom <= snapshot.index + 1, `entries below ${keepFrom} are in no snapshot`);
    const pointer = await this.#writeChunks(snapshot);
    const before = this.#loaded();
    if (snapshot.index <= before.pointer.index) {
      await this.#removeRange(generationRange(this.#keys, pointer.generation));
      return;
    }
    const { first, last } = before.bounds;
    invariant(snapshot.index <= last, `snapshot ${snapshot.index} is ahead of the log's end ${last}`);
    const bounds = { first: maxIndex(first, keepFrom), last };
    await this.#replace({ bounds, pointer }, before, []);
  }

  #loaded(): OnDisk {
    invariant(this.#disk !== undefined, 'the Raft state must be loaded, and intact, before it is written');
    return this.#disk;
  }

  async #append({ entries, hardState }: RaftWork, sync: boolean): Promise<void> {
    const { bounds, pointer } = this.#loaded();
    const operations: EngineOperation[] = [];
    if (entries.length > 0) {
      const next = this.#putEntries(operations, entries, bounds);
      this.#deleteBehind(operations, next, bounds);
      operations.push(putBounds(this.#keys.bounds, next));
      this.#disk = { bounds: next, pointer };
    }
    if (hardState !== undefined) operations.push(putHardState(this.#keys.hardState, hardState));
    if (operations.length > 0) await this.#engine.write(operations, { sync });
  }

  async #install({ entries, hardState }: RaftWork, snapshot: Snapshot): Promise<void> {
    this.#loaded();
    const pointer = await this.#writeChunks(snapshot);
    const before = this.#loaded();
    const operations: EngineOperation[] = [];
    const bounds = this.#putEntries(operations, entries, boundsAfter(snapshot));
    this.#deleteBehind(operations, bounds, before.bounds);
    if (hardState !== undefined) operations.push(putHardState(this.#keys.hardState, hardState));
    await this.#replace({ bounds, pointer }, before, operations);
  }

  /** Adds the puts of `entries` behind or over the end of `bounds`; returns the bounds afterwards. */
  #putEntries(operations: EngineOperation[], entries: readonly Entry[], bounds: Bounds): Bounds {
    let next = entries[0]?.index ?? plus(bounds.last, 1);
    invariant(next >= bounds.first && next <= bounds.last + 1, `entry ${next} leaves a gap in the log`);
    for (const entry of entries) {
      invariant(entry.index === next, `a gap in the log before entry ${entry.index}`);
      operations.push(putEntry(this.#keys.entry(entry.index), entry));
      next = plus(next, 1);
    }
    return { first: bounds.first, last: plus(next, -1) };
  }

  /** A replaced suffix goes with the batch that replaces it: it must never be part of the log again (R14). */
  #deleteBehind(operations: EngineOperation[], after: Bounds, before: Bounds): void {
    for (let index = plus(after.last, 1); index <= before.last; index = plus(index, 1))
      operations.push({ type: 'delete', key: this.#keys.entry(index) });
  }

  /** Makes the chunks of `pointer` the snapshot, and then removes what it and the new bounds made useless. */
  async #replace(after: OnDisk, before: OnDisk, operations: EngineOperation[]): Promise<void> {
    operations.push(putPointer(this.#keys.snapshot, after.pointer));
    operations.push(putBounds(this.#keys.bounds, after.bounds));
    this.#disk = after;
    await this.#engine.write(operations, { sync: true });
    if (chunksOf(before.pointer) > 0)
      await this.#removeRange(generationRange(this.#keys, before.pointer.generation));
    if (before.bounds.first < after.bounds.first)
      await this.#removeRange({
        start: this.#keys.entry(before.bounds.first),
        end: this.#keys.entry(after.bounds.first),
      });
  }

  /** Not synced: the batch with the pointer is, and covers them. */
  async #writeChunks(snapshot: Snapshot): Promise<SnapshotPointer> {
    const pointer = pointerTo(snapshot, this.#nextGeneration++, this.#chunkBytes);
    for (const chunk of putChunks(this.#keys, snapshot.data, pointer))
      await this.#engine.write([chunk], { sync: false });
    return pointer;
  }

  async #removeRemains({ bounds, pointer }: OnDisk): Promise<void> {
    const { entries } = this.#keys;
    const strays = [
      { start: entries.start, end: this.#keys.entry(bounds.first) },
      { start: this.#keys.entry(plus(bounds.last, 1)), end: entries.end },
      ...strayChunks(this.#keys, pointer),
    ];
    for (const range of strays) if (await this.#holdsAny(range)) await this.#removeRange(range);
  }

  async #holdsAny(range: KeyRange): Promise<boolean> {
    await using view = this.#engine.openView({ reverse: false });
    const { entries } = await view.page(range, { entriesMax: 1, bytesMax: 1 });
    return entries.length > 0;
  }

  #removeRange({ start, end }: KeyRange): Promise<void> {
    return this.#engine.write([{ type: 'delete-range', start, end }], { sync: false });
  }
}
