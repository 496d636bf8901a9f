import type { ClassicLevel, Iterator, Snapshot } from 'classic-level';
import {
  EngineClosedError,
  type EngineEntry,
  type EnginePage,
  type EngineView,
  type KeyRange,
  type PageLimits,
  type ViewOptions,
} from '../../storage/engine.ts';

export type LevelDatabase = ClassicLevel<Uint8Array, Uint8Array>;

/** What one step of an iterator may hold in memory beyond its first entry; a page takes as many as it needs. */
const STEP_BYTES_MAX = 256 * 1024;
const STEP_ENTRIES_MAX = 1_000;

export type LevelViewDeps = {
  readonly database: LevelDatabase;
  readonly onClose: (view: LeveldbView) => void;
};

/** An explicit snapshot, with an iterator for each page. */
export class LeveldbView implements EngineView {
  readonly #deps: LevelViewDeps;
  readonly #reverse: boolean;
  readonly #snapshot: Snapshot;
  readonly #pages = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(options: ViewOptions, deps: LevelViewDeps) {
    this.#deps = deps;
    this.#reverse = options.reverse;
    this.#snapshot = deps.database.snapshot();
  }

  page(range: KeyRange, limits: PageLimits): Promise<EnginePage> {
    if (this.#isClosed) return Promise.reject(new EngineClosedError());
    const page = this.#read(range, limits);
    const settled: Promise<unknown> = page.catch(() => undefined).then(() => this.#pages.delete(settled));
    this.#pages.add(settled);
    return page;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.all(this.#pages);
    await this.#snapshot.close();
    this.#deps.onClose(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #read(range: KeyRange, limits: PageLimits): Promise<EnginePage> {
    await using iterator = this.#iterate(range, limits.entriesMax);
    const entries: EngineEntry[] = [];
    let bytes = 0;
    while (entries.length < limits.entriesMax) {
      const rows = await iterator.nextv(Math.min(limits.entriesMax - entries.length, STEP_ENTRIES_MAX));
      if (rows.length === 0) return { entries, done: true };
      for (const [key, value] of rows) {
        entries.push({ key, value });
        bytes += key.length + value.length;
        if (bytes > limits.bytesMax) return { entries, done: false };
      }
    }
    return { entries, done: false };
  }

  #iterate(range: KeyRange, limit: number): Iterator<LevelDatabase, Uint8Array, Uint8Array> {
    return this.#deps.database.iterator({
      gte: range.start,
      lt: range.end,
      reverse: this.#reverse,
      limit,
      fillCache: false,
      highWaterMarkBytes: STEP_BYTES_MAX,
      snapshot: this.#snapshot,
    });
  }
}
