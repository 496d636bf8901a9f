import type { PackedEntries } from './packed-entries.ts';

/**
 * The engine port: an ordered map from byte strings to byte strings that survives a crash.
 *
 * Contract, checked for every engine by engine-conformance.ts:
 * - Keys sort as unsigned bytes. Keys have at least one byte; values may be empty.
 * - A resolved `write` with `sync` is on stable storage, together with every write resolved before it. No method
 *   blocks the event loop for the length of an fsync.
 * - A batch has at least one operation. It is either puts and deletes, and then atomic, or one `delete-range`:
 *   until that resolves a read or a crash may find part of the range gone, since no engine deletes a range of any
 *   size in one step. Writes take effect in the order of the calls.
 * - What `get`, `getMany` and a view opened later return includes every write that resolved before. They never
 *   return a put or delete with `sync` before it is durable.
 * - A failed write or fsync poisons the engine: it and every later write reject with EngineFailedError, since
 *   pages that failed to reach the disk may be marked clean (Rebello et al., ATC'20).
 * - `close` waits for work under way; what is called afterwards rejects with EngineClosedError.
 */
export type Engine = {
  readonly name: EngineName;
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** The values in the order of `keys`; undefined where there is none. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** The arrays in `batch` must not be changed until it resolves. */
  write(batch: readonly EngineOperation[], options: WriteOptions): Promise<void>;
  /** As `write`, for writes that are many: `onEnd` is called once, never before this returns, with why it failed if it did. */
  submit(batch: readonly EngineOperation[], options: WriteOptions, onEnd: OnWritten): void;
  /** A consistent view of now, read in one direction only. The caller closes it. */
  openView(options: ViewOptions): EngineView;
  /**
   * The first entries of the range as they are now, packed, for whoever passes them on as they are: at least one where there is one, ended
   * once their keys and values exceed `bytesMax`. Of thousands of records this costs the calling thread nothing.
   */
  readEntries(range: KeyRange, bytesMax: number): Promise<EntriesRead>;
  /** Free bytes for this engine, or undefined where the notion has no meaning. */
  freeBytes(): Promise<number | undefined>;
  close(): Promise<void>;
};

export type WriteOptions = { readonly sync: boolean };
export type OnWritten = (failure: Error | undefined) => void;

/** What is submitted, as a promise. */
export function written(submit: (onEnd: OnWritten) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    submit((failure) => (failure === undefined ? resolve() : reject(failure)));
  });
}

export const ENGINE_NAMES = ['rocksdb', 'leveldb', 'memory'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

export type EngineOperation =
  | PlainOperation
  /** A put for each of them, in their order. */
  | { readonly type: 'put-entries'; readonly entries: PackedEntries };

export type PlainOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array }
  /** Deletes start <= key < end, with start < end; the only operation of its batch. */
  | { readonly type: 'delete-range'; readonly start: Uint8Array; readonly end: Uint8Array };

export type ViewOptions = { readonly reverse: boolean };

export type EngineView = AsyncDisposable & {
  /**
   * Up to `entriesMax` entries of start <= key < end in the view's direction, at least one where there is one,
   * ended early once their keys and values exceed `bytesMax`. `done` says that the range holds no more; else it may,
   * and the next page begins after the last key (forward: its successor as `start`; reverse: itself as `end`).
   */
  page(range: KeyRange, limits: PageLimits): Promise<EnginePage>;
  close(): Promise<void>;
};

export type KeyRange = { readonly start: Uint8Array; readonly end: Uint8Array };
export type PageLimits = { readonly entriesMax: number; readonly bytesMax: number };
export type EngineEntry = { readonly key: Uint8Array; readonly value: Uint8Array };
export type EnginePage = { readonly entries: readonly EngineEntry[]; readonly done: boolean };

export type EntriesRead = {
  /** As `openEntries` takes them (packed-entries.ts). */
  readonly packed: Uint8Array<ArrayBuffer>;
  /** The key of the last of them, behind which the next begin; undefined: the range holds no more. */
  readonly last: Uint8Array | undefined;
};

/** The first failed write or fsync, and every call after it. The node must stop serving. */
export class EngineFailedError extends Error {
  override readonly name = 'EngineFailedError';
}

export class EngineClosedError extends Error {
  override readonly name = 'EngineClosedError';
  constructor() {
    super('the storage engine is closed');
  }
}

/** The directory is held by another process. */
export class EngineLockedError extends Error {
  override readonly name = 'EngineLockedError';
}
