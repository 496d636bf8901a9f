import { DEFAULT_NAMESPACE } from '../../core/topology/genesis.ts';
import type { Version } from '../../core/version/version.ts';
import type { Clock } from '../../ports/clock.ts';
import { segmentsOf } from '../../storage/batch.ts';
import { KvError } from '../../storage/errors.ts';
import {
  type BatchOperation,
  type BatchOutcome,
  expiryOf,
  type KvStore,
  type LiveRecord,
  type Namespace,
  type PutWrite,
  type RequestOptions,
  type WriteResult,
} from '../../storage/kv-store.ts';
import { isLive, type StoredRecord } from '../../storage/record.ts';
import { runSegments } from './batch-segment.ts';
import type { ClusterScan } from './cluster-scan.ts';
import type { Coordinator } from './coordinator.ts';
import { type Attempted, digestOf, IdempotencyKeys, type Stamp } from './idempotency.ts';
import { NamespaceDirectory, type NamespaceSource } from './namespace-directory.ts';
import type { ReadEnd } from './read.ts';
import type { WriteEnd } from './write.ts';

export type ReplicatedStoreOptions = {
  /** `replication.requestTimeoutMs`, and the most that a request may ask for. */
  readonly requestTimeoutMs: number;
  readonly requestTimeoutMsMax: number;
  /** `replication.inFlightMax`. */
  readonly inFlightMax: number;
  /** `replication.idempotencyKeysMax`. */
  readonly idempotencyKeysMax: number;
};

export type ReplicatedStoreDeps = {
  readonly coordinator: Coordinator;
  readonly clock: Clock;
  readonly namespaces: NamespaceSource;
  /** Resolves once this node has applied all of the topology that was acknowledged before the call. */
  catchUp(signal: AbortSignal): Promise<void>;
  readonly scan: ClusterScan;
};

/** The store of a cluster, as any of its nodes serves it. */
export type ReplicatedStore = KvStore & {
  /**
   * Reads a key at quorum, so that a damaged record of this member is repaired; resolves with whether a sound one was found
   * and sent. Never rejects.
   */
  heal(namespaceId: number, key: Uint8Array): Promise<boolean>;
};

/** What one write is, whoever asks for it. */
type Wanted = {
  readonly key: Uint8Array;
  readonly record: Omit<StoredRecord, 'version'>;
  readonly ttlSeconds: number | undefined;
};

/** One call of the store: its options, and when it began. */
type Call = { readonly options: RequestOptions; readonly deadlineMs: number };

export function createReplicatedStore(
  options: ReplicatedStoreOptions,
  deps: ReplicatedStoreDeps,
): ReplicatedStore {
  return new QuorumStore(options, deps);
}

class QuorumStore implements ReplicatedStore {
  readonly #options: ReplicatedStoreOptions;
  readonly #deps: ReplicatedStoreDeps;
  readonly #directory: NamespaceDirectory;
  readonly #idempotency: IdempotencyKeys;

  constructor(options: ReplicatedStoreOptions, deps: ReplicatedStoreDeps) {
    this.#options = options;
    this.#deps = deps;
    const { namespaces, clock, coordinator } = deps;
    const catchUp = (signal: AbortSignal): Promise<void> => deps.catchUp(signal);
    const timeout = { timeoutMs: options.requestTimeoutMsMax };
    this.#directory = new NamespaceDirectory(timeout, {
      namespaces,
      catchUp,
      clock,
      deadlines: coordinator.deadlines,
    });
    this.#idempotency = new IdempotencyKeys(options.idempotencyKeysMax);
  }

  get(name: string, key: Uint8Array, options: RequestOptions = {}): Promise<LiveRecord | undefined> {
    const call = this.#call(options);
    return this.#within(name, call, (namespace) => this.#get(namespace, key, call));
  }

  put(name: string, key: Uint8Array, write: PutWrite, options: RequestOptions = {}): Promise<WriteResult> {
    const call = this.#call(options);
    const wanted = this.#putOf(key, write);
    return this.#within(name, call, (namespace) =>
      this.#write(namespace, wanted, call, options.idempotencyKey),
    );
  }

  delete(name: string, key: Uint8Array, options: RequestOptions = {}): Promise<WriteResult> {
    const call = this.#call(options);
    const wanted = deletionOf(key);
    return this.#within(name, call, (namespace) =>
      this.#write(namespace, wanted, call, options.idempotencyKey),
    );
  }

  batch(
    name: string,
    operations: readonly BatchOperation[],
    options: RequestOptions = {},
  ): Promise<BatchOutcome[]> {
    const call = this.#call(options);
    return this.#within(name, call, (namespace) => {
      this.#admit();
      return runSegments(segmentsOf(operations), (operation, index, onEnd) => {
        this.#beginOperation(namespace, operation, index, call, onEnd);
      });
    });
  }

  async scan(...[name, query, options = {}]: Parameters<KvStore['scan']>): ReturnType<KvStore['scan']> {
    const call = this.#call(options);
    return await this.#within(name, call, (namespace) => this.#deps.scan.scanPage(namespace, query, options));
  }

  async *scanAll(...[name, query]: Parameters<KvStore['scanAll']>): ReturnType<KvStore['scanAll']> {
    const namespace = await this.#directory.require(name, this.#call({}).deadlineMs);
    yield* this.#deps.scan.scanAll(namespace, query);
  }

  listNamespaces(): readonly Namespace[] {
    return this.#directory.namespaces.list();
  }

  getNamespace(name: string): Namespace | undefined {
    return this.#directory.find(name);
  }

  createNamespace(name: string): Promise<{ readonly namespace: Namespace; readonly created: boolean }> {
    return this.#directory.namespaces.create(name);
  }

  /**
   * Without `confirm` only what a scan finds empty. A write that comes between the scan and the drop is lost with the
   * namespace: the nodes agree on no moment from which on it takes none.
   */
  async deleteNamespace(name: string, confirm: string | undefined): Promise<void> {
    const namespace = await this.#directory.require(name, this.#call({}).deadlineMs);
    if (name === DEFAULT_NAMESPACE)
      throw new KvError('NAMESPACE_PROTECTED', `the namespace '${name}' cannot be deleted`, {
        namespace: name,
      });
    if (confirm !== name && !(await this.#isEmpty(namespace)))
      throw new KvError('NAMESPACE_NOT_EMPTY', `the namespace '${name}' holds data`, { namespace: name });
    await this.#directory.namespaces.drop(namespace);
  }

  heal(namespaceId: number, key: Uint8Array): Promise<boolean> {
    const { deadlineMs } = this.#call({});
    return new Promise((resolve) => {
      const onEnd = (end: ReadEnd): void => resolve(end.type === 'answered' && end.record !== undefined);
      try {
        const request = { namespaceId, key, deadlineMs, onReplicas: undefined, level: 'quorum' } as const;
        this.#deps.coordinator.read(request, onEnd);
      } catch {
        // Nobody owns the key yet.
        resolve(false);
      }
    });
  }

  #call(options: RequestOptions): Call {
    const { requestTimeoutMs, requestTimeoutMsMax } = this.#options;
    const timeoutMs = Math.min(options.timeoutMs ?? requestTimeoutMs, requestTimeoutMsMax);
    return { options, deadlineMs: this.#deps.clock.monotonicMs() + timeoutMs };
  }

  /** Without a promise of its own where the namespace is known. */
  #within<T>(name: string, call: Call, work: (namespace: Namespace) => Promise<T>): Promise<T> {
    const namespace = this.#directory.find(name);
    if (namespace === undefined) return this.#directory.require(name, call.deadlineMs).then(work);
    try {
      return work(namespace);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A batch counts with its operations once it is let in, so that one of any size can be. */
  #admit(): void {
    const { inFlight } = this.#deps.coordinator;
    const { inFlightMax } = this.#options;
    if (inFlight < inFlightMax) return;
    throw new KvError(
      'OVERLOADED',
      `this node coordinates ${inFlight} operations, ${inFlightMax} are allowed (replication.inFlightMax); try again, or ask another node`,
      { inFlight, inFlightMax },
    );
  }

  #get(namespace: Namespace, key: Uint8Array, call: Call): Promise<LiveRecord | undefined> {
    this.#admit();
    const beganAtMs = this.#deps.clock.nowMs();
    return new Promise((resolve, reject) => {
      this.#beginGet(namespace, key, call, (end) => {
        if (end.type === 'failed') reject(end.error);
        else resolve(liveAt(end.record, beganAtMs));
      });
    });
  }

  #beginGet(namespace: Namespace, key: Uint8Array, call: Call, onEnd: (end: ReadEnd) => void): void {
    const { options, deadlineMs } = call;
    const { onReplicas, r: level = 'quorum' } = options;
    this.#deps.coordinator.read({ namespaceId: namespace.id, key, deadlineMs, onReplicas, level }, onEnd);
  }

  #write(
    namespace: Namespace,
    wanted: Wanted,
    call: Call,
    idempotencyKey: string | undefined,
  ): Promise<WriteResult> {
    if (idempotencyKey !== undefined) return this.#writeOnce(namespace, wanted, call, idempotencyKey);
    this.#admit();
    return new Promise((resolve, reject) => {
      this.#beginWrite(namespace, wanted, call, undefined, (end) => {
        if (end.type === 'failed') reject(end.error);
        else resolve(resultOf(end.version, wanted));
      });
    });
  }

  #writeOnce(namespace: Namespace, wanted: Wanted, call: Call, idempotencyKey: string): Promise<WriteResult> {
    const digest = digestOf(wanted.key, wanted.record, wanted.ttlSeconds);
    return this.#idempotency.once(`${namespace.id} ${idempotencyKey}`, digest, (stamp) =>
      this.#attempt(namespace, stamp === undefined ? wanted : again(wanted, stamp), call, stamp?.version),
    );
  }

  #attempt(
    namespace: Namespace,
    wanted: Wanted,
    call: Call,
    stampedBefore: Version | undefined,
  ): Promise<Attempted> {
    return new Promise((resolve) => {
      this.#admit();
      this.#beginWrite(namespace, wanted, call, stampedBefore, (end) => resolve(attemptedOf(end, wanted)));
    });
  }

  #beginWrite(
    namespace: Namespace,
    { key, record }: Wanted,
    { options, deadlineMs }: Call,
    stampedBefore: Version | undefined,
    onEnd: (end: WriteEnd) => void,
  ): void {
    const { onReplicas, r = 'quorum', w = 'quorum' } = options;
    const request = { namespaceId: namespace.id, key, deadlineMs, onReplicas, record, levels: { r, w } };
    this.#deps.coordinator.write({ ...request, stampedBefore }, onEnd);
  }

  #beginOperation(
    namespace: Namespace,
    operation: BatchOperation,
    index: number,
    call: Call,
    onEnd: (outcome: BatchOutcome) => void,
  ): void {
    const fail = (error: Error): void => onEnd({ type: 'error', error });
    try {
      if (operation.type === 'get') this.#beginBatchedGet(namespace, operation.key, call, onEnd);
      else this.#beginBatchedWrite(namespace, operation, index, call, onEnd);
    } catch (error) {
      fail(error as Error);
    }
  }

  #beginBatchedGet(
    namespace: Namespace,
    key: Uint8Array,
    call: Call,
    onEnd: (outcome: BatchOutcome) => void,
  ): void {
    const beganAtMs = this.#deps.clock.nowMs();
    this.#beginGet(namespace, key, call, (end) => {
      if (end.type === 'failed') onEnd({ type: 'error', error: end.error });
      else onEnd({ type: 'get', record: liveAt(end.record, beganAtMs) });
    });
  }

  #beginBatchedWrite(
    namespace: Namespace,
    operation: Exclude<BatchOperation, { type: 'get' }>,
    index: number,
    call: Call,
    onEnd: (outcome: BatchOutcome) => void,
  ): void {
    const { type, key } = operation;
    const wanted = type === 'put' ? this.#putOf(key, operation) : deletionOf(key);
    const { idempotencyKey } = call.options;
    const fail = (error: Error): void => onEnd({ type: 'error', error });
    if (idempotencyKey !== undefined) {
      // Each operation is remembered by itself: a batch that is tried again may have been done in part.
      const result = this.#writeOnce(namespace, wanted, call, `${idempotencyKey} ${index}`);
      void result.then((done) => onEnd({ type, result: done }), fail);
      return;
    }
    this.#beginWrite(namespace, wanted, call, undefined, (end) => {
      if (end.type === 'failed') fail(end.error);
      else onEnd({ type, result: resultOf(end.version, wanted) });
    });
  }

  #putOf(key: Uint8Array, write: PutWrite): Wanted {
    const { value, contentType, ttlSeconds } = write;
    const expiresAtMs = expiryOf(write, this.#deps.clock.nowMs());
    return { key, record: { isTombstone: false, value, contentType, expiresAtMs }, ttlSeconds };
  }

  async #isEmpty(namespace: Namespace): Promise<boolean> {
    let after: Uint8Array | undefined;
    do {
      const page = await this.#deps.scan.scanPage(namespace, { limit: 1, after }, {});
      if (page.entries.length > 0) return false;
      after = page.resumeAfter;
    } while (after !== undefined);
    return true;
  }
}

const TOMBSTONE = {
  isTombstone: true,
  value: new Uint8Array(),
  contentType: undefined,
  expiresAtMs: undefined,
};

function deletionOf(key: Uint8Array): Wanted {
  return { key, record: TOMBSTONE, ttlSeconds: undefined };
}

/** The same record as at the first try. */
function again(wanted: Wanted, { expiresAtMs }: Stamp): Wanted {
  return { ...wanted, record: { ...wanted.record, expiresAtMs } };
}

function resultOf(version: Version, { record }: Wanted): WriteResult {
  return { version, expiresAtMs: record.expiresAtMs };
}

/** What is known not to be written may be stamped anew; all else keeps its stamp. */
function attemptedOf(end: WriteEnd, wanted: Wanted): Attempted {
  if (end.type === 'acknowledged') return { type: 'done', result: resultOf(end.version, wanted) };
  const { error, outcome, version } = end;
  const isUnknown = outcome === 'unknown' && version !== undefined;
  return {
    type: 'failed',
    error,
    stamp: isUnknown ? { version, expiresAtMs: wanted.record.expiresAtMs } : undefined,
  };
}

/**
 * Expiry is judged by the time at which the read began: at its end another put may have been acknowledged that it did not see, and
 * then that nothing was there, since what it saw has expired meanwhile, would be true at no time.
 */
function liveAt(record: StoredRecord | undefined, beganAtMs: number): LiveRecord | undefined {
  return record !== undefined && isLive(record, beganAtMs) ? record : undefined;
}
