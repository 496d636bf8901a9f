import type { Level } from '../core/quorum/quorum-sizes.ts';
import type { MemberId } from '../core/raft/types.ts';
import type { Version } from '../core/version/version.ts';

/**
 * The data of one node as its interfaces (HTTP, later RESP) see it: namespaces of keys, each key a register.
 * Errors are KvError. A write resolves once it is durable. Reads see durable data only.
 */
export type KvStore = {
  get(namespace: string, key: Uint8Array, options?: RequestOptions): Promise<LiveRecord | undefined>;
  put(namespace: string, key: Uint8Array, write: PutWrite, options?: RequestOptions): Promise<WriteResult>;
  /** Deleting a missing key is a write like any other. */
  delete(namespace: string, key: Uint8Array, options?: RequestOptions): Promise<WriteResult>;
  /** Each operation with its own outcome, in the order given; operations on one key take effect in that order. */
  batch(
    namespace: string,
    operations: readonly BatchOperation[],
    options?: RequestOptions,
  ): Promise<BatchOutcome[]>;
  /** One page in key order. */
  scan(namespace: string, query: ScanQuery, options?: RequestOptions): Promise<ScanPage>;
  /**
   * All of a range, in pages: from one consistent view where one node holds everything, else each page as of its own time.
   * Ends early, and frees what it holds, when the caller returns.
   */
  scanAll(namespace: string, query: ScanRange): AsyncGenerator<readonly ScanEntry[], void, void>;

  listNamespaces(): readonly Namespace[];
  getNamespace(name: string): Namespace | undefined;
  /** Idempotent for the same consistency class; `created` says whether it is new. */
  createNamespace(name: string): Promise<{ readonly namespace: Namespace; readonly created: boolean }>;
  /** Refuses a namespace with data unless `confirm` repeats its name. */
  deleteNamespace(name: string, confirm: string | undefined): Promise<void>;
};

/** What a request may ask for beside its operation. */
export type RequestOptions = {
  /** How many replicas a read asks, and how many must hold a write; `quorum` where nothing is said. */
  readonly r?: Level | undefined;
  readonly w?: Level | undefined;
  /** From the call; at most `replication.requestTimeoutMsMax`. */
  readonly timeoutMs?: number | undefined;
  /** A write that is tried again with the same key is applied once, as far as this node remembers. */
  readonly idempotencyKey?: string | undefined;
  /** Called before the answer with what each replica said. */
  readonly onReplicas?: ((replicas: readonly ReplicaSaid[]) => void) | undefined;
};

/** `said` is e.g. `held`, `answered`, `silent`, `refused STORAGE_FULL`. */
export type ReplicaSaid = { readonly member: MemberId; readonly name: string; readonly said: string };

export type PutWrite = {
  readonly value: Uint8Array;
  readonly contentType?: string | undefined;
  /** Relative to now; absent means never. */
  readonly ttlSeconds?: number | undefined;
  /** Instead of `ttlSeconds`: milliseconds since 1970. What lies in the past is a write that nobody reads. */
  readonly expiresAtMs?: number | undefined;
};

/** When a write expires, in milliseconds since 1970; undefined means never. */
export function expiryOf({ ttlSeconds, expiresAtMs }: PutWrite, nowMs: number): number | undefined {
  return ttlSeconds === undefined ? expiresAtMs : nowMs + ttlSeconds * 1000;
}

export type LiveRecord = {
  readonly version: Version;
  readonly value: Uint8Array;
  readonly contentType: string | undefined;
  /** Milliseconds since 1970; undefined means never. */
  readonly expiresAtMs: number | undefined;
};

export type WriteResult = { readonly version: Version; readonly expiresAtMs: number | undefined };

export type BatchOperation =
  | { readonly type: 'get'; readonly key: Uint8Array }
  | ({ readonly type: 'put'; readonly key: Uint8Array } & PutWrite)
  | { readonly type: 'delete'; readonly key: Uint8Array };

export type BatchOutcome =
  | { readonly type: 'get'; readonly record: LiveRecord | undefined }
  | { readonly type: 'put'; readonly result: WriteResult }
  | { readonly type: 'delete'; readonly result: WriteResult }
  | { readonly type: 'error'; readonly error: Error };

/** start <= key < end, and key begins with prefix; each bound may be absent. */
export type ScanRange = {
  readonly prefix?: Uint8Array | undefined;
  readonly start?: Uint8Array | undefined;
  readonly end?: Uint8Array | undefined;
  readonly reverse?: boolean | undefined;
  readonly keysOnly?: boolean | undefined;
};

export type ScanQuery = ScanRange & {
  readonly limit: number;
  /** The last key of the page before: this page begins after it in the scan's direction. */
  readonly after?: Uint8Array | undefined;
};

export type ScanEntry = { readonly key: Uint8Array; readonly record: LiveRecord };

/** `more` says that the range goes on after the last entry; a page may be short, or empty with `resumeAfter`. */
export type ScanPage = {
  readonly entries: readonly ScanEntry[];
  readonly resumeAfter: Uint8Array | undefined;
};

export type Namespace = {
  readonly name: string;
  /** Never reused. */
  readonly id: number;
  readonly consistency: 'quorum';
  readonly createdAtMs: number;
};
