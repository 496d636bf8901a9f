import { ClassicLevel } from 'classic-level';
import {
  type Engine,
  EngineClosedError,
  EngineLockedError,
  type EngineOperation,
  type EngineView,
  type EntriesRead,
  type KeyRange,
  type OnWritten,
  type PlainOperation,
  type ViewOptions,
  type WriteOptions,
} from '../../storage/engine.ts';
import { type CommitObserver, GroupCommit, type WriteGroup } from '../../storage/group-commit.ts';
import { plainOperations } from '../../storage/packed-entries.ts';
import { readEntriesByView } from '../../storage/read-entries.ts';
import { freeBytesAt } from '../free-bytes.ts';
import { type LevelDatabase, LeveldbView } from './leveldb-view.ts';

export type LeveldbOptions = {
  readonly location: string;
  readonly cacheBytes: number;
  /** Twice as much while one memtable is being flushed. */
  readonly memtableBytes: number;
  /** A write group takes no further write once it is this large. */
  readonly writeGroupBytesMax: number;
};

export type LeveldbDeps = { readonly onCommit?: CommitObserver };

/** Keys of a range delete that are held in memory at a time. */
const RANGE_DELETE_KEYS_MAX = 1_000;

/**
 * LevelDB, which works on libuv's threads.
 *
 * Every group is synced, asked for or not: LevelDB syncs its newest log only, so that a synced write says nothing
 * of an earlier one that was not, once the log was switched in between (leveldb DBImpl::MakeRoomForWrite).
 */
export class LeveldbEngine implements Engine {
  readonly name = 'leveldb';
  readonly #options: LeveldbOptions;
  readonly #database: LevelDatabase;
  readonly #writes: GroupCommit;
  readonly #views = new Set<LeveldbView>();
  #closing: Promise<void> | undefined;

  static async open(options: LeveldbOptions, deps: LeveldbDeps): Promise<LeveldbEngine> {
    const database: LevelDatabase = new ClassicLevel(options.location, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      cacheSize: options.cacheBytes,
      writeBufferSize: options.memtableBytes,
    });
    try {
      await database.open();
    } catch (error) {
      throw lockedOr(error, options.location);
    }
    return new LeveldbEngine(options, deps, database);
  }

  private constructor(options: LeveldbOptions, deps: LeveldbDeps, database: LevelDatabase) {
    this.#options = options;
    this.#database = database;
    this.#writes = new GroupCommit(
      { groupBytesMax: options.writeGroupBytesMax },
      {
        commit: (group) => this.#commit(group),
        defer: setImmediate,
        monotonicMs: () => performance.now(),
        ...(deps.onCommit === undefined ? {} : { onCommit: deps.onCommit }),
      },
    );
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#check();
    return await this.#database.get(key);
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#check();
    return await this.#database.getMany([...keys]);
  }

  write(batch: readonly EngineOperation[], options: WriteOptions): Promise<void> {
    return this.#writes.write(batch, options);
  }

  submit(batch: readonly EngineOperation[], options: WriteOptions, onEnd: OnWritten): void {
    this.#writes.submit(batch, options, onEnd);
  }

  openView(options: ViewOptions): EngineView {
    this.#check();
    const view = new LeveldbView(options, {
      database: this.#database,
      onClose: (closed) => this.#views.delete(closed),
    });
    this.#views.add(view);
    return view;
  }

  readEntries(range: KeyRange, bytesMax: number): Promise<EntriesRead> {
    return readEntriesByView(this, range, bytesMax);
  }

  async freeBytes(): Promise<number> {
    return await freeBytesAt(this.#options.location);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...[...this.#views].map((view) => view.close()), this.#writes.close()]);
    await this.#database.close();
  }

  #check(): void {
    if (this.#closing !== undefined) throw new EngineClosedError();
  }

  async #commit(group: WriteGroup): Promise<void> {
    const operations = group.batches.flat();
    const first = operations[0];
    if (first?.type === 'delete-range') return await this.#deleteRange(first.start, first.end);
    await this.#database.batch(Array.from(plainOperations(operations), toLevel), { sync: true });
  }

  /** Key by key, since LevelDB's own `clear` does so too, and without a sync. */
  async #deleteRange(start: Uint8Array, end: Uint8Array): Promise<void> {
    await using keys = this.#database.keys({ gte: start, lt: end, fillCache: false });
    for (;;) {
      const found = await keys.nextv(RANGE_DELETE_KEYS_MAX);
      if (found.length === 0) return;
      await this.#database.batch(
        found.map((key) => ({ type: 'del' as const, key })),
        { sync: true },
      );
    }
  }
}

type LevelOperation = { type: 'put'; key: Uint8Array; value: Uint8Array } | { type: 'del'; key: Uint8Array };

function toLevel(operation: PlainOperation): LevelOperation {
  switch (operation.type) {
    case 'put':
      return { type: 'put', key: operation.key, value: operation.value };
    case 'delete':
      return { type: 'del', key: operation.key };
    case 'delete-range':
      throw new TypeError('a delete-range stands alone in its batch');
  }
}

function lockedOr(error: unknown, location: string): unknown {
  const cause = error instanceof Error ? (error.cause as { readonly code?: string } | undefined) : undefined;
  if (cause?.code !== 'LEVEL_LOCKED') return error;
  return new EngineLockedError(`${location} is in use by another engine`, { cause: error });
}
