import { mkdir } from 'node:fs/promises';
import {
  type Engine,
  EngineClosedError,
  EngineLockedError,
  type EngineOperation,
  type EngineView,
  type EntriesRead,
  type KeyRange,
  type OnWritten,
  type ViewOptions,
  type WriteOptions,
} from '../../storage/engine.ts';
import { type CommitObserver, GroupCommit, type WriteGroup } from '../../storage/group-commit.ts';
import { GroupRead } from '../../storage/group-read.ts';
import { freeBytesAt } from '../free-bytes.ts';
import { loadRocksBinding, type RocksBinding, type RocksDatabase } from './binding.ts';
import { packGroup, packKeys, unpackValues } from './packing.ts';
import { RocksdbView } from './rocksdb-view.ts';
import { WorkerChannel } from './worker-channel.ts';

export type RocksdbOptions = {
  readonly location: string;
  /** Blocks read from tables, with their indexes and filters. */
  readonly cacheBytes: number;
  /** Writes not yet in tables; half as much again while they are being flushed. */
  readonly memtableBytes: number;
  /** A write group takes no further write once it is this large. */
  readonly writeGroupBytesMax: number;
  readonly readGroupKeysMax: number;
  /** Values beyond it are left to the next read group. */
  readonly readGroupBytesMax: number;
  /** Threads for flushes and compactions. */
  readonly backgroundThreads: number;
};

export type RocksdbDeps = { readonly onCommit?: CommitObserver };

/** Pooled buffers begin here and grow by doubling. */
const POOLED_BYTES_MIN = 64 * 1024;

/**
 * RocksDB with its disk in two threads of their own, one that writes and one that reads.
 *
 * The package writes on the calling thread. All writes go to one worker, in synced groups, so nothing is visible
 * before it is durable and the event loop never waits for an fsync.
 *
 * Reads go to a worker too. On the calling thread a cached read costs 3.6 us, and one that misses the cache stops
 * every request and heartbeat of the node for as long as the disk takes; grouped, in a worker, 64 concurrent reads
 * cost the calling thread 0.9 us each (bench: 319,000 gets/s; 8 concurrent: 2.8 us, 139,000).
 */
export class RocksdbEngine implements Engine {
  readonly name = 'rocksdb';
  readonly #options: RocksdbOptions;
  readonly #binding: RocksBinding;
  readonly #database: RocksDatabase;
  readonly #writer: WorkerChannel;
  readonly #reader: WorkerChannel;
  readonly #writes: GroupCommit;
  readonly #reads: GroupRead;
  readonly #views = new Set<RocksdbView>();
  /** Those of entries that are under way; none rejects. */
  readonly #entriesReads = new Set<Promise<void>>();
  #spareBuffer = new ArrayBuffer(POOLED_BYTES_MIN);
  #closing: Promise<void> | undefined;

  static async open(options: RocksdbOptions, deps: RocksdbDeps): Promise<RocksdbEngine> {
    const binding = loadRocksBinding();
    await mkdir(options.location, { recursive: true });
    const database = await openDatabase(binding, options);
    return new RocksdbEngine(options, { ...deps, binding, database });
  }

  private constructor(
    options: RocksdbOptions,
    deps: RocksdbDeps & { readonly binding: RocksBinding; readonly database: RocksDatabase },
  ) {
    this.#options = options;
    this.#binding = deps.binding;
    this.#database = deps.database;
    const setup = { handle: deps.binding.db_get_handle(deps.database) };
    this.#writer = new WorkerChannel(setup);
    this.#reader = new WorkerChannel(setup);
    this.#writes = new GroupCommit(
      { groupBytesMax: options.writeGroupBytesMax },
      {
        commit: (group) => this.#commit(group),
        // Measured no slower than a microtask at 1 writer, and the requests of one turn share a group.
        defer: setImmediate,
        monotonicMs: () => performance.now(),
        ...(deps.onCommit === undefined ? {} : { onCommit: deps.onCommit }),
      },
    );
    this.#reads = new GroupRead(
      { groupKeysMax: options.readGroupKeysMax },
      { read: (keys) => this.#read(keys), defer: setImmediate },
    );
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#reads.get(key);
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#reads.getMany(keys);
  }

  write(batch: readonly EngineOperation[], options: WriteOptions): Promise<void> {
    return this.#writes.write(batch, options);
  }

  submit(batch: readonly EngineOperation[], options: WriteOptions, onEnd: OnWritten): void {
    this.#writes.submit(batch, options, onEnd);
  }

  openView(options: ViewOptions): EngineView {
    if (this.#closing !== undefined) throw new EngineClosedError();
    const view = new RocksdbView(options, {
      binding: this.#binding,
      database: this.#database,
      onClose: (closed) => this.#views.delete(closed),
    });
    this.#views.add(view);
    return view;
  }

  readEntries(range: KeyRange, bytesMax: number): Promise<EntriesRead> {
    if (this.#closing !== undefined) return Promise.reject(new EngineClosedError());
    const read = this.#reader.readEntries(range, bytesMax);
    const settled = read
      .catch(() => undefined)
      .then(() => {
        this.#entriesReads.delete(settled);
      });
    this.#entriesReads.add(settled);
    return read;
  }

  async freeBytes(): Promise<number> {
    return await freeBytesAt(this.#options.location);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const views = [...this.#views].map((view) => view.close());
    await Promise.all([...views, this.#writes.close(), this.#reads.close(), ...this.#entriesReads]);
    await Promise.all([this.#writer.close(), this.#reader.close()]);
    await new Promise<void>((resolve, reject) => {
      this.#binding.db_close(this.#database, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  async #commit(group: WriteGroup): Promise<void> {
    const buffer = this.#takeBuffer(group.bytes);
    packGroup(group, buffer);
    const { operations, sync } = group;
    this.#spareBuffer = await this.#writer.ask({ type: 'write', buffer, operations, sync });
    if (this.#spareBuffer.byteLength > this.#options.writeGroupBytesMax)
      this.#spareBuffer = new ArrayBuffer(POOLED_BYTES_MIN);
  }

  #takeBuffer(bytes: number): ArrayBuffer {
    if (this.#spareBuffer.byteLength >= bytes) return this.#spareBuffer;
    return new ArrayBuffer(2 ** Math.ceil(Math.log2(bytes)));
  }

  async #read(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined | null)[]> {
    const answerBytesMax = this.#options.readGroupBytesMax;
    const request = { type: 'read', buffer: packKeys(keys), count: keys.length, answerBytesMax } as const;
    return unpackValues(await this.#reader.ask(request), keys.length);
  }
}

/** Opens the database alone, as the engine does; its owner closes it. */
export function openDatabase(binding: RocksBinding, options: RocksdbOptions): Promise<RocksDatabase> {
  const database = binding.db_init(options.location);
  const rocksOptions = {
    createIfMissing: true,
    parallelism: options.backgroundThreads,
    // Compressing the log costs more time than it saves for small writes, and is one more thing to recover through.
    walCompression: false,
    compression: true,
    compaction: 'level',
    cacheSize: options.cacheBytes,
    // Else indexes and filters, which grow with the data, are outside every budget.
    cacheIndexAndFilterBlocks: true,
    memtableMemoryBudget: options.memtableBytes,
  } as const;
  return new Promise((resolve, reject) => {
    binding.db_open(database, rocksOptions, (error) =>
      error === null ? resolve(database) : reject(lockedOr(error, options.location)),
    );
  });
}

function lockedOr(error: Error & { readonly code?: string }, location: string): Error {
  if (error.code !== 'LEVEL_LOCKED') return error;
  return new EngineLockedError(`${location} is in use by another engine`, { cause: error });
}
