import { compareBytes } from '../../core/bytes/bytes.ts';
import {
  EngineClosedError,
  type EngineEntry,
  type EnginePage,
  type EngineView,
  type KeyRange,
  type PageLimits,
  type ViewOptions,
} from '../../storage/engine.ts';
import type { RocksBinding, RocksDatabase, RocksIterator, RocksRows } from './binding.ts';

/** What one step of an iterator may hold in memory beyond its first entry; a page takes as many as it needs. */
const STEP_BYTES_MAX = 256 * 1024;
const STEP_ENTRIES_MAX = 1_000;

export type RocksViewDeps = {
  readonly binding: RocksBinding;
  readonly database: RocksDatabase;
  readonly onClose: (view: RocksdbView) => void;
};

/** One iterator: it reads a snapshot for as long as it lives, wherever it is moved. */
export class RocksdbView implements EngineView {
  readonly #deps: RocksViewDeps;
  readonly #reverse: boolean;
  readonly #iterator: RocksIterator;
  #isClosed = false;
  /** Pages are read one after the other: an iterator has one place. */
  #lastPage: Promise<unknown> = Promise.resolve();

  constructor(options: ViewOptions, deps: RocksViewDeps) {
    this.#deps = deps;
    this.#reverse = options.reverse;
    this.#iterator = deps.binding.iterator_init(deps.database, {
      reverse: options.reverse,
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      fillCache: false,
      highWaterMarkBytes: STEP_BYTES_MAX,
    });
  }

  page(range: KeyRange, limits: PageLimits): Promise<EnginePage> {
    if (this.#isClosed) return Promise.reject(new EngineClosedError());
    const page = this.#lastPage.then(() => this.#read(range, limits));
    this.#lastPage = page.catch(() => undefined);
    return page;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#lastPage;
    this.#deps.binding.iterator_close(this.#iterator);
    this.#deps.onClose(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #read(range: KeyRange, limits: PageLimits): Promise<EnginePage> {
    if (compareBytes(range.start, range.end) >= 0) return { entries: [], done: true };
    this.#deps.binding.iterator_seek(this.#iterator, this.#reverse ? range.end : range.start);
    const entries: EngineEntry[] = [];
    let bytes = 0;
    for (;;) {
      // In reverse a seek may land on `end` itself, which is not part of the range.
      const wanted = limits.entriesMax - entries.length + (this.#reverse ? 1 : 0);
      const { rows, finished } = await this.#step(Math.min(wanted, STEP_ENTRIES_MAX));
      for (let i = 0; i < rows.length; i += 2) {
        const key = rows[i] as Uint8Array;
        const value = rows[i + 1] as Uint8Array;
        if (this.#isPast(key, range)) return { entries, done: true };
        if (this.#reverse && compareBytes(key, range.end) >= 0) continue;
        entries.push({ key, value });
        bytes += key.length + value.length;
        if (entries.length >= limits.entriesMax || bytes > limits.bytesMax) return { entries, done: false };
      }
      if (finished) return { entries, done: true };
    }
  }

  #isPast(key: Uint8Array, range: KeyRange): boolean {
    return this.#reverse ? compareBytes(key, range.start) < 0 : compareBytes(key, range.end) >= 0;
  }

  #step(count: number): Promise<RocksRows> {
    return new Promise((resolve, reject) => {
      this.#deps.binding.iterator_nextv(this.#iterator, count, (error, rows) =>
        error === null ? resolve(rows) : reject(error),
      );
    });
  }
}
