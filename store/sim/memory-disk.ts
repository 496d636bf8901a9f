import {
  EMPTY_MAP,
  mapDelete,
  mapDeleteRange,
  mapEntries,
  mapGet,
  mapPut,
  type SortedMap,
} from '../core/sorted-map/sorted-map.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { EngineLockedError, type EngineOperation, type PlainOperation } from '../storage/engine.ts';
import { plainOperations } from '../storage/packed-entries.ts';

export type MemoryDiskOptions = { readonly capacityBytes: number };
export type MemoryDiskDeps = { readonly clock: Clock; readonly random: Random };

/** What goes wrong next: `failNext...` happen once, the others until they are taken back. */
export type DiskFaults = {
  failNextWrite: boolean;
  failNextSync: boolean;
  failNextRead: boolean;
  isFull: boolean;
  syncDelayMs: number;
  /** Drawn for each fsync and added to `syncDelayMs`. */
  drawSyncDelayMs: (() => number) | undefined;
};

/** Of no use but to `replace`. */
export type DiskCopy = Contents;

type Contents = { readonly map: SortedMap; readonly bytes: number };

/** What an engine holds while it has the disk. */
export class DiskMount {
  isLost = false;
  waiting: { readonly timer: Timer; readonly reject: (error: Error) => void } | undefined;
}

/**
 * A disk that forgets: it holds what was synced, and a tail of batches that were written since. A crash keeps a
 * random beginning of the tail, whole batches only, as a write-ahead log with checksums does (leveldb's
 * fault_injection_test.cc). The data outlives the engines that mount it, one at a time.
 */
export class MemoryDisk {
  readonly faults: DiskFaults = {
    failNextWrite: false,
    failNextSync: false,
    failNextRead: false,
    isFull: false,
    syncDelayMs: 0,
    drawSyncDelayMs: undefined,
  };
  /** When the last fsync that a fault made slow ends, or has ended. */
  slowUntilMs = Number.NEGATIVE_INFINITY;
  readonly #options: MemoryDiskOptions;
  readonly #deps: MemoryDiskDeps;
  #synced: Contents = { map: EMPTY_MAP, bytes: 0 };
  /** The contents after each batch since the last sync. */
  #tail: Contents[] = [];
  #visible: Contents = this.#synced;
  #mount: DiskMount | undefined;

  constructor(options: MemoryDiskOptions, deps: MemoryDiskDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The right to use the disk, until it is given back or the power fails. */
  mount(): DiskMount {
    if (this.#mount !== undefined) throw new EngineLockedError('the memory disk is in use');
    this.#mount = new DiskMount();
    return this.#mount;
  }

  unmount(mount: DiskMount): void {
    if (this.#mount === mount) this.#mount = undefined;
  }

  /** The power fails: the mount is lost, and the unsynced tail is cut after a random batch. */
  crash(): void {
    const kept = Math.floor(this.#deps.random.unit() * (this.#tail.length + 1));
    this.#synced = this.#tail[kept - 1] ?? this.#synced;
    this.#visible = this.#synced;
    this.#tail = [];
    if (this.#mount !== undefined) cutOff(this.#mount);
    this.#mount = undefined;
  }

  /** Writes `batch` after what was written before; it is durable after the next sync. */
  append(mount: DiskMount, batch: readonly EngineOperation[]): void {
    check(mount);
    if (this.#takeFault('failNextWrite')) throw new Error('EIO: a write of the memory disk failed');
    const next = [...plainOperations(batch)].reduce(applyOperation, this.#written);
    const grows = next.bytes > this.#written.bytes;
    if (this.faults.isFull || (grows && next.bytes > this.#options.capacityBytes))
      throw new Error('ENOSPC: the memory disk is full');
    this.#tail.push(next);
  }

  /** Makes all that was written durable. After a failed sync nobody knows what of the tail is. */
  async sync(mount: DiskMount): Promise<void> {
    check(mount);
    const delayMs = this.faults.syncDelayMs + (this.faults.drawSyncDelayMs?.() ?? 0);
    if (this.faults.syncDelayMs > 0)
      this.slowUntilMs = Math.max(this.slowUntilMs, this.monotonicMs() + delayMs);
    if (delayMs > 0) await this.#delay(mount, delayMs);
    check(mount);
    if (this.#takeFault('failNextSync')) throw new Error('EIO: an fsync of the memory disk failed');
    this.#synced = this.#written;
    this.#tail = [];
  }

  /** Lets readers see all that was written. */
  publish(mount: DiskMount): void {
    check(mount);
    this.#visible = this.#written;
  }

  read(mount: DiskMount): SortedMap {
    check(mount);
    if (this.#takeFault('failNextRead')) throw new Error('EIO: a read of the memory disk failed');
    return this.#visible.map;
  }

  /** Flips a bit of the value at `key`, as a dying disk does; says whether there was one to flip. */
  corrupt(key: Uint8Array): boolean {
    const value = mapGet(this.#visible.map, key);
    if (value === undefined || value.length === 0) return false;
    const damaged = new Uint8Array(value);
    const bit = Math.floor(this.#deps.random.unit() * damaged.length * 8);
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
    const damage = (contents: Contents): Contents =>
      mapGet(contents.map, key) === value
        ? { ...contents, map: mapPut(contents.map, key, damaged) }
        : contents;
    this.#synced = damage(this.#synced);
    this.#tail = this.#tail.map(damage);
    this.#visible = damage(this.#visible);
    return true;
  }

  /** What a crash now would leave at least: a copy of the disk as somebody may bring it back. */
  copy(): DiskCopy {
    return this.#synced;
  }

  /** Another disk is in the machine; nobody may have it mounted. `undefined`: an empty one. */
  replace(copy: DiskCopy | undefined): void {
    if (this.#mount !== undefined) throw new EngineLockedError('the memory disk is in use');
    this.#synced = copy ?? { map: EMPTY_MAP, bytes: 0 };
    this.#visible = this.#synced;
    this.#tail = [];
  }

  /** What lies on the disk, as its next user will find it. */
  *contents(
    start: Uint8Array,
    end: Uint8Array,
  ): Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }> {
    yield* mapEntries(this.#visible.map, start, end, false);
  }

  /** What a crash now would leave at least. */
  *durableContents(
    start: Uint8Array,
    end: Uint8Array,
  ): Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }> {
    yield* mapEntries(this.#synced.map, start, end, false);
  }

  durableValue(key: Uint8Array): Uint8Array | undefined {
    return mapGet(this.#synced.map, key);
  }

  monotonicMs(): number {
    return this.#deps.clock.monotonicMs();
  }

  freeBytes(): number {
    return this.faults.isFull ? 0 : Math.max(0, this.#options.capacityBytes - this.#written.bytes);
  }

  get #written(): Contents {
    return this.#tail.at(-1) ?? this.#synced;
  }

  #takeFault(fault: 'failNextWrite' | 'failNextSync' | 'failNextRead'): boolean {
    const isSet = this.faults[fault];
    this.faults[fault] = false;
    return isSet;
  }

  #delay(mount: DiskMount, delayMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      mount.waiting = { timer: this.#deps.clock.setTimer(delayMs, resolve), reject };
    });
  }
}

/** Keys and values are copied: what the writer does with its arrays later must not reach the disk. */
function applyOperation({ map, bytes }: Contents, operation: PlainOperation): Contents {
  switch (operation.type) {
    case 'put': {
      const { key, value } = operation;
      const growth = key.length + value.length - entryBytes(map, key);
      return { map: mapPut(map, new Uint8Array(key), new Uint8Array(value)), bytes: bytes + growth };
    }
    case 'delete':
      return { map: mapDelete(map, operation.key), bytes: bytes - entryBytes(map, operation.key) };
    case 'delete-range': {
      const { start, end } = operation;
      let freed = 0;
      for (const { key, value } of mapEntries(map, start, end, false)) freed += key.length + value.length;
      return { map: mapDeleteRange(map, start, end), bytes: bytes - freed };
    }
  }
}

function entryBytes(map: SortedMap, key: Uint8Array): number {
  const value = mapGet(map, key);
  return value === undefined ? 0 : key.length + value.length;
}

function check(mount: DiskMount): void {
  if (mount.isLost) throw new Error('the memory disk lost its power');
}

function cutOff(mount: DiskMount): void {
  mount.isLost = true;
  mount.waiting?.timer.cancel();
  mount.waiting?.reject(new Error('the memory disk lost its power'));
}
