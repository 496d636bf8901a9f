import { mapEntries, mapGet, type SortedMap } from '../core/sorted-map/sorted-map.ts';
import {
  type Engine,
  EngineClosedError,
  type EngineEntry,
  type EngineOperation,
  type EnginePage,
  type EngineView,
  type EntriesRead,
  type KeyRange,
  type OnWritten,
  type PageLimits,
  type ViewOptions,
  type WriteOptions,
} from '../storage/engine.ts';
import { type CommitObserver, GroupCommit, type WriteGroup } from '../storage/group-commit.ts';
import { readEntriesByView } from '../storage/read-entries.ts';
import type { DiskMount, MemoryDisk } from './memory-disk.ts';

export type MemoryEngineOptions = { readonly groupBytesMax: number };
export type MemoryEngineDeps = { readonly disk: MemoryDisk; readonly onCommit?: CommitObserver };

/** The engine over a memory disk. Opening another one on the same disk is the restart of a node. */
export class MemoryEngine implements Engine {
  readonly name = 'memory';
  readonly #disk: MemoryDisk;
  readonly #mount: DiskMount;
  readonly #writes: GroupCommit;
  #isClosed = false;

  constructor(options: MemoryEngineOptions, deps: MemoryEngineDeps) {
    this.#disk = deps.disk;
    this.#mount = deps.disk.mount();
    this.#writes = new GroupCommit(options, {
      commit: (group) => this.#commit(group),
      defer: queueMicrotask,
      monotonicMs: () => deps.disk.monotonicMs(),
      ...(deps.onCommit === undefined ? {} : { onCommit: deps.onCommit }),
    });
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return mapGet(this.#read(), key)?.slice();
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const map = this.#read();
    return keys.map((key) => mapGet(map, key)?.slice());
  }

  write(batch: readonly EngineOperation[], options: WriteOptions): Promise<void> {
    return this.#writes.write(batch, options);
  }

  submit(batch: readonly EngineOperation[], options: WriteOptions, onEnd: OnWritten): void {
    this.#writes.submit(batch, options, onEnd);
  }

  openView(options: ViewOptions): EngineView {
    return new MemoryView(this.#read(), options.reverse, () => this.#isClosed);
  }

  readEntries(range: KeyRange, bytesMax: number): Promise<EntriesRead> {
    return readEntriesByView(this, range, bytesMax);
  }

  async freeBytes(): Promise<number> {
    return this.#disk.freeBytes();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writes.close();
    this.#disk.unmount(this.#mount);
  }

  #read(): SortedMap {
    if (this.#isClosed) throw new EngineClosedError();
    return this.#disk.read(this.#mount);
  }

  async #commit(group: WriteGroup): Promise<void> {
    for (const batch of group.batches) this.#disk.append(this.#mount, batch);
    if (group.sync) await this.#disk.sync(this.#mount);
    this.#disk.publish(this.#mount);
  }
}

class MemoryView implements EngineView {
  readonly #map: SortedMap;
  readonly #reverse: boolean;
  readonly #isEngineClosed: () => boolean;
  #isClosed = false;

  constructor(map: SortedMap, reverse: boolean, isEngineClosed: () => boolean) {
    this.#map = map;
    this.#reverse = reverse;
    this.#isEngineClosed = isEngineClosed;
  }

  async page(range: KeyRange, limits: PageLimits): Promise<EnginePage> {
    if (this.#isClosed || this.#isEngineClosed()) throw new EngineClosedError();
    const entries: EngineEntry[] = [];
    let bytes = 0;
    for (const { key, value } of mapEntries(this.#map, range.start, range.end, this.#reverse)) {
      if (entries.length >= limits.entriesMax || bytes > limits.bytesMax) return { entries, done: false };
      entries.push({ key: new Uint8Array(key), value: new Uint8Array(value) });
      bytes += key.length + value.length;
    }
    return { entries, done: true };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
