import type { Configuration, Entry, HardState, LogIndex } from '../../core/raft/types.ts';
import { asBuffer, ENVELOPE_BYTES } from '../../storage/checksum.ts';
import type { EngineEntry, PlainOperation } from '../../storage/engine.ts';
import { FAMILY, metaKey } from '../../storage/key-layout.ts';
import { keyName } from '../../storage/key-name.ts';
import { indexOfKey, raftKeys, TOPOLOGY_GROUP } from '../../storage/raft-store/raft-keys.ts';
import {
  type Bounds,
  readBounds,
  readChunk,
  readEntry,
  readHardState,
  readPointer,
  type SnapshotPointer,
} from '../../storage/raft-store/raft-records.ts';

const KEYS = raftKeys(TOPOLOGY_GROUP);
const KIND_AT = 5;
const KIND = {
  hardState: kindOf(KEYS.hardState),
  bounds: kindOf(KEYS.bounds),
  snapshot: kindOf(KEYS.snapshot),
  entry: kindOf(KEYS.entries.start),
  chunk: kindOf(KEYS.chunks.start),
};

/** Whose the directory says that it is. */
export type DiskIdentity = {
  readonly clusterId: string;
  readonly member: number;
  readonly incarnation: number;
};

const IDENTITY_KEY = asBuffer(metaKey('identity'));
const DIRECTORY_KEY = asBuffer(metaKey('directory'));
const JOINING_KEY = asBuffer(metaKey('joining'));

/**
 * The identity and the Raft log as they lie on one disk, read from what the node writes, with no help of the node: what was written,
 * and how much of that is durable. Damaged records are left out.
 */
export class DiskLog {
  identity: DiskIdentity | undefined;
  directoryId: string | undefined;
  /** The cluster that the directory asks, or asked, for a number. */
  joining: string | undefined;
  hardState: HardState | undefined;
  bounds: Bounds | undefined;
  pointer: SnapshotPointer | undefined;
  readonly entries = new Map<LogIndex, Entry>();
  readonly #chunks = new Map<string, Uint8Array>();
  /** What a crash keeps for certain. */
  durable: { readonly hardState: HardState | undefined; readonly last: LogIndex } = EMPTY;
  /** Since it was last asked for. */
  #fresh: Entry[] = [];
  #hasChanged = false;

  /** Takes a write of the node that has come to its end. */
  written(batch: readonly PlainOperation[], sync: boolean): void {
    const before = this.#hasChanged;
    this.#hasChanged = false;
    for (const operation of batch) this.#take(operation);
    if (this.#hasChanged) this.#cutTail();
    this.#hasChanged ||= before;
    if (sync) this.#allDurable();
  }

  /** Reads a disk as a start finds it. */
  static of(found: Iterable<EngineEntry>): DiskLog {
    const log = new DiskLog();
    for (const { key, value } of found) log.#take({ type: 'put', key, value });
    log.#cutTail();
    log.#allDurable();
    log.#fresh = [];
    return log;
  }

  get last(): LogIndex {
    return this.bounds?.last ?? NONE;
  }

  /** Entries written since the last call, undefined where nothing of the log changed. */
  takeFresh(): readonly Entry[] | undefined {
    if (!this.#hasChanged) return undefined;
    this.#hasChanged = false;
    const fresh = this.#fresh.filter((entry) => this.entries.get(entry.index) === entry);
    this.#fresh = [];
    return fresh;
  }

  /** The latest configuration in the log, committed or not. */
  configuration(): Configuration | undefined {
    for (let index = this.last; index > (this.pointer?.index ?? 0); index = (index - 1) as LogIndex) {
      const entry = this.entries.get(index);
      if (entry?.type === 'config') return entry.configuration;
    }
    return this.pointer?.configuration;
  }

  snapshotData(): Uint8Array | undefined {
    const { pointer } = this;
    if (pointer === undefined || pointer.bytesTotal === 0) return undefined;
    const parts: Uint8Array[] = [];
    for (let number = 0; number * pointer.chunkBytes < pointer.bytesTotal; number++) {
      const key = KEYS.chunk(pointer.generation, number);
      const stored = this.#chunks.get(keyName(key));
      if (stored === undefined) return undefined;
      parts.push(readChunk(key, stored, number));
    }
    return Buffer.concat(parts);
  }

  /** Whether the same can be read from both. */
  equals(other: DiskLog): boolean {
    const [own, its] = [this, other].map((log) =>
      JSON.stringify([
        log.hardState,
        log.bounds,
        log.pointer,
        log.entries.size,
        orNothing(() => log.snapshotData()),
      ]),
    );
    return own === its;
  }

  #take(operation: PlainOperation): void {
    if (operation.type === 'delete-range') {
      if (operation.start[0] === FAMILY.raft) this.#deleteRange(operation.start, operation.end);
      return;
    }
    const value = operation.type === 'put' ? operation.value : undefined;
    if (operation.key[0] === FAMILY.raft) this.#set(asBuffer(operation.key), value);
    else if (operation.key[0] === FAMILY.meta) this.#setMeta(asBuffer(operation.key), value);
  }

  #setMeta(key: Buffer, value: Uint8Array | undefined): void {
    if (key.equals(IDENTITY_KEY)) {
      this.#hasChanged = true;
      this.identity = value && orNothing(() => factOf(value) as DiskIdentity);
    }
    if (key.equals(JOINING_KEY))
      this.joining = value && orNothing(() => (factOf(value) as { clusterId: string }).clusterId);
    if (key.equals(DIRECTORY_KEY)) {
      this.directoryId = value && orNothing(() => (factOf(value) as { directoryId: string }).directoryId);
    }
  }

  #set(key: Buffer, value: Uint8Array | undefined): void {
    this.#hasChanged = true;
    switch (key[KIND_AT]) {
      case KIND.hardState:
        this.hardState = value && orNothing(() => readHardState(key, value));
        break;
      case KIND.bounds:
        this.bounds = value && orNothing(() => readBounds(key, value));
        break;
      case KIND.snapshot:
        this.pointer = value && orNothing(() => readPointer(key, value));
        break;
      case KIND.entry:
        this.#setEntry(key, value);
        break;
      case KIND.chunk:
        if (value === undefined) this.#chunks.delete(keyName(key));
        else this.#chunks.set(keyName(key), value);
        break;
    }
  }

  #setEntry(key: Buffer, value: Uint8Array | undefined): void {
    const index = indexOfKey(key);
    const entry = value && orNothing(() => readEntry(key, index, value));
    if (index <= this.durable.last) this.durable = { ...this.durable, last: (index - 1) as LogIndex };
    if (entry === undefined) this.entries.delete(index);
    else {
      this.entries.set(index, entry);
      this.#fresh.push(entry);
    }
  }

  #deleteRange(start: Uint8Array, end: Uint8Array): void {
    this.#hasChanged = true;
    for (const index of this.entries.keys()) {
      const key = KEYS.entry(index);
      if (Buffer.compare(key, start) >= 0 && Buffer.compare(key, end) < 0) this.entries.delete(index);
    }
    for (const text of this.#chunks.keys()) {
      const key = Buffer.from(text, 'latin1');
      if (Buffer.compare(key, start) >= 0 && Buffer.compare(key, end) < 0) this.#chunks.delete(text);
    }
    if (Buffer.compare(start, KEYS.hardState) <= 0) this.#forget();
  }

  /** The whole group was erased. */
  #forget(): void {
    this.hardState = undefined;
    this.bounds = undefined;
    this.pointer = undefined;
    this.durable = EMPTY;
  }

  /** What lies outside the bounds is not part of the log. */
  #cutTail(): void {
    const { first = NONE, last = NONE } = this.bounds ?? {};
    for (const index of this.entries.keys()) if (index < first || index > last) this.entries.delete(index);
  }

  #allDurable(): void {
    this.durable = { hardState: this.hardState, last: this.last };
  }
}

const NONE = 0 as LogIndex;
const EMPTY = { hardState: undefined, last: NONE } as const;

function factOf(stored: Uint8Array): unknown {
  return JSON.parse(asBuffer(stored).toString('utf8', ENVELOPE_BYTES));
}

function kindOf(key: Uint8Array): number {
  return key[KIND_AT] as number;
}

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
