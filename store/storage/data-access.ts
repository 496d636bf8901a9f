import { compareBytes } from '../core/bytes/bytes.ts';
import { partitionOf } from '../core/ring/slot.ts';
import type { Version } from '../core/version/version.ts';
import type { Clock } from '../ports/clock.ts';
import {
  type Engine,
  EngineFailedError,
  type EngineOperation,
  type EngineView,
  type KeyRange,
  type ViewOptions,
} from './engine.ts';
import { KvError } from './errors.ts';
import { dataKey, dataRange, expiryKey, type RecordAddress, tombstoneKey } from './key-layout.ts';
import { expiryOf, type LiveRecord, type Namespace, type PutWrite, type WriteResult } from './kv-store.ts';
import type { Namespaces } from './namespaces.ts';
import { decodeRecord, encodeRecord, isLive, type StoredRecord } from './record.ts';
import type { SpaceGuard } from './space-guard.ts';
import type { VersionSource } from './version-source.ts';
import type { WriteTracker } from './write-tracker.ts';

/** Records and index entries that are written together. */
export type EngineWrite = {
  readonly storedKeys: readonly Uint8Array[];
  readonly operations: readonly EngineOperation[];
  readonly bytes: number;
};

/** A write that was stamped and encoded, ready for the engine. */
export type PreparedWrite = EngineWrite & { readonly result: WriteResult };

export type DataStoreOptions = {
  readonly partitions: number;
  /** Bytes of writes on their way to the disk; more are refused as OVERLOADED. */
  readonly writeBacklogBytesMax: number;
  /** Records that one page of a scan may look at, live or not. */
  readonly scanExaminedMax: number;
  readonly scanPageBytesMax: number;
};

export type DataStoreDeps = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly versions: VersionSource;
  readonly namespaces: Namespaces;
  readonly space: SpaceGuard;
  readonly tracker: WriteTracker;
};

/** Something must be looked at or made durable first: wait, then prepare again. */
export type NotYet = Promise<void>;

/** What the parts of the data store share. */
export type DataAccess = {
  readonly options: DataStoreOptions;
  readonly deps: DataStoreDeps;
  address(namespace: Namespace, key: Uint8Array): RecordAddress;
  read(storedKeys: readonly Uint8Array[], keys: readonly Uint8Array[]): Promise<(LiveRecord | undefined)[]>;
  /** `work`, with a failed engine told as KvError STORAGE_FAILED. */
  guarded<T>(work: Promise<T>): Promise<T>;
  /** A view of now; throws once the store has failed. */
  openView(options: ViewOptions): EngineView;
  preparePut(namespace: Namespace, key: Uint8Array, write: PutWrite): PreparedWrite | NotYet;
  prepareDelete(namespace: Namespace, key: Uint8Array): PreparedWrite | NotYet;
  /** Hands a write to the engine in this turn; resolves with `result` when it is durable. */
  commit<T>(write: EngineWrite, result: T): Promise<T>;
};

/** Reads, stamps, encodes and commits; refuses what the disk, the backlog or an earlier failure forbids. */
export function createDataAccess(options: DataStoreOptions, deps: DataStoreDeps): DataAccess {
  const { engine, clock, versions, space, tracker } = deps;
  let backlogBytes = 0;
  let failure: KvError | undefined;

  /** What a caller is told: a failed engine refuses everything from then on. */
  const told = (error: unknown): unknown => {
    if (!(error instanceof EngineFailedError)) return error;
    failure ??= new KvError('STORAGE_FAILED', 'the storage failed; this node stops', {}, error);
    return failure;
  };
  const settle = (bytes: number): void => {
    backlogBytes -= bytes;
    tracker.settled();
  };
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw told(error);
    }
  };
  const admit = (bytes: number, kind: 'put' | 'delete'): boolean => {
    if (failure !== undefined) throw failure;
    if (tracker.isClosed) throw new KvError('SHUTTING_DOWN', 'this service of the data has ended');
    // Alone any write is taken: one above the limit would be refused for ever.
    if (backlogBytes > 0 && backlogBytes + bytes > options.writeBacklogBytesMax) {
      throw new KvError('OVERLOADED', `${backlogBytes} bytes of writes wait for the disk`, { backlogBytes });
    }
    return space.admit(bytes, kind);
  };
  const prepare = (
    address: RecordAddress,
    record: Omit<StoredRecord, 'version'>,
    index: (version: Version) => Uint8Array | undefined,
  ): PreparedWrite | NotYet => {
    const isAdmitted = admit(record.value.length + address.key.length, record.isTombstone ? 'delete' : 'put');
    if (!isAdmitted) return space.refresh();
    const version = versions.next();
    if (version === undefined) return guarded(versions.ready());
    const storedKey = dataKey(address);
    const value = encodeRecord(storedKey, { ...record, version });
    const operations: EngineOperation[] = [{ type: 'put', key: storedKey, value }];
    const indexKey = index(version);
    if (indexKey !== undefined) operations.push({ type: 'put', key: indexKey, value: NO_VALUE });
    const bytes = storedKey.length + value.length;
    return {
      storedKeys: [storedKey],
      operations,
      bytes,
      result: { version, expiresAtMs: record.expiresAtMs },
    };
  };
  const address = (namespace: Namespace, key: Uint8Array): RecordAddress => ({
    partition: partitionOf(key, options.partitions),
    namespaceId: namespace.id,
    key,
  });

  return {
    options,
    deps,
    address,
    guarded,
    openView(viewOptions) {
      try {
        return engine.openView(viewOptions);
      } catch (error) {
        throw told(error);
      }
    },
    async read(storedKeys, keys) {
      const stored = await guarded(engine.getMany(storedKeys));
      const nowMs = clock.nowMs();
      return stored.map((value, i) => {
        if (value === undefined) return undefined;
        const record = decodeRecord(storedKeys[i] as Uint8Array, value, keys[i] as Uint8Array);
        return isLive(record, nowMs) ? record : undefined;
      });
    },
    preparePut(namespace, key, write) {
      const at = address(namespace, key);
      const { value, contentType } = write;
      const expiresAtMs = expiryOf(write, clock.nowMs());
      const index = (): Uint8Array | undefined =>
        expiresAtMs === undefined ? undefined : expiryKey(expiresAtMs, at);
      return prepare(at, { isTombstone: false, value, contentType, expiresAtMs }, index);
    },
    prepareDelete(namespace, key) {
      const at = address(namespace, key);
      return prepare(at, TOMBSTONE, (version) => tombstoneKey(version, at));
    },
    commit(write, result) {
      backlogBytes += write.bytes;
      tracker.issued(write.storedKeys);
      return engine.write(write.operations, { sync: true }).then(
        () => {
          settle(write.bytes);
          return result;
        },
        (error: unknown) => {
          settle(write.bytes);
          throw told(error);
        },
      );
    },
  };
}

const NO_VALUE = new Uint8Array();
const TOMBSTONE = { isTombstone: true, value: NO_VALUE, contentType: undefined, expiresAtMs: undefined };

/** The ranges of a namespace in every partition; none where the bounds leave nothing. */
export function namespaceRanges(
  access: DataAccess,
  namespace: Namespace,
  start: Uint8Array | undefined,
  end: Uint8Array | undefined,
): KeyRange[] {
  if (start !== undefined && end !== undefined && compareBytes(start, end) >= 0) return [];
  return Array.from({ length: access.options.partitions }, (_, partition) =>
    dataRange(partition, namespace.id, start, end),
  );
}
