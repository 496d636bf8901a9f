import { createRequire } from 'node:module';

/**
 * What we use of the native part of @nxtedition/rocksdb 12.2.12, which ships no types. Its JavaScript part is left
 * out: its put and del drop `sync`, and every write of it runs on the calling thread.
 */
export type RocksBinding = {
  /** A database at a location, or, given the handle of one that is open, the same one in a further thread. */
  db_init(locationOrHandle: string | bigint): RocksDatabase;
  db_open(database: RocksDatabase, options: RocksOptions, callback: (error: Error | null) => void): void;
  db_get_handle(database: RocksDatabase): bigint;
  db_close(database: RocksDatabase, callback: (error: Error | null) => void): void;
  /**
   * Reads on the calling thread; null stands for a value beyond `highWaterMarkBytes`. The asynchronous db_get_many
   * must not be used: on a damaged block it throws out of the event loop and its callback is never called.
   */
  db_get_many_sync(
    database: RocksDatabase,
    keys: readonly Uint8Array[],
    options: { readonly highWaterMarkBytes: number },
  ): (Uint8Array | undefined | null)[];
  /** Writes one DeleteRange, on the calling thread, not synced. */
  db_clear(database: RocksDatabase, options: { readonly gte: Uint8Array; readonly lt: Uint8Array }): void;
  batch_init(): RocksBatch;
  /** Options cost a third of the call, even where they say nothing. */
  batch_put(batch: RocksBatch, key: Uint8Array, value: Uint8Array, options: object | undefined): void;
  batch_del(batch: RocksBatch, key: Uint8Array, options: object | undefined): void;
  batch_clear(batch: RocksBatch): void;
  /** Writes on the calling thread; an empty batch is never synced. */
  batch_write(database: RocksDatabase, batch: RocksBatch, options: { readonly sync: boolean }): void;
  iterator_init(database: RocksDatabase, options: RocksIteratorOptions): RocksIterator;
  iterator_seek(iterator: RocksIterator, target: Uint8Array): void;
  iterator_nextv(
    iterator: RocksIterator,
    count: number,
    callback: (error: Error | null, result: RocksRows) => void,
  ): void;
  /** Reads on the calling thread. */
  iterator_nextv_sync(iterator: RocksIterator, count: number): RocksRows;
  iterator_close(iterator: RocksIterator): void;
};

declare const brand: unique symbol;
export type RocksDatabase = { readonly [brand]: 'database' };
export type RocksBatch = { readonly [brand]: 'batch' };
export type RocksIterator = { readonly [brand]: 'iterator' };

/** Keys and values in turn. */
export type RocksRows = { readonly rows: readonly Uint8Array[]; readonly finished: boolean };

export type RocksIteratorOptions = {
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly reverse: boolean;
  readonly keyEncoding: 'buffer';
  readonly valueEncoding: 'buffer';
  readonly fillCache: boolean;
  readonly highWaterMarkBytes: number;
};

export type RocksOptions = {
  readonly createIfMissing: boolean;
  readonly parallelism: number;
  readonly walCompression: boolean;
  readonly compression: boolean;
  readonly compaction: 'level' | 'universal';
  readonly cacheSize: number;
  readonly cacheIndexAndFilterBlocks: boolean;
  readonly memtableMemoryBudget: number;
};

/** Loads the native part; throws where the package brings no binary for this platform. */
export function loadRocksBinding(): RocksBinding {
  return createRequire(import.meta.url)('@nxtedition/rocksdb/binding.js') as RocksBinding;
}

/** Why RocksDB cannot be used here; undefined where it can. */
export function whyRocksdbIsUnavailable(): string | undefined {
  try {
    loadRocksBinding();
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    return `no RocksDB binary for ${process.platform}-${process.arch}: ${reason}`;
  }
}
