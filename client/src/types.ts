import type { Bytes } from './bytes.ts';
import type { NodeState } from './cluster-types.ts';
import type { Outcome } from './errors.ts';

/** What is kept beside a value. */
export type ValueInfo = {
  /** The version of the write that put it there; versions of a key only grow. */
  readonly version: string;
  readonly contentType: string | undefined;
  /** When it disappears; undefined: never. */
  readonly expiresAt: Date | undefined;
};

/** What is known of a write that was acknowledged. */
export type Written = Pick<ValueInfo, 'version' | 'expiresAt'>;

export type StoredValue = ValueInfo & { readonly value: Uint8Array };

export type PutOptions = {
  /** Whole seconds until it expires, 1..3153600000. Absent: never. */
  readonly ttlSeconds?: number;
  readonly contentType?: string;
};

export type BatchOperation =
  | ({ readonly op: 'put'; readonly key: Bytes; readonly value: Bytes } & PutOptions)
  | { readonly op: 'get'; readonly key: Bytes }
  | { readonly op: 'delete'; readonly key: Bytes };

/** `value` is undefined for a put, a delete, and a get of a key that is not there (which has no version either). */
export type BatchSuccess = {
  readonly ok: true;
  readonly op: BatchOperation['op'];
  readonly version: string | undefined;
  readonly value: Uint8Array | undefined;
  readonly contentType: string | undefined;
  readonly expiresAt: Date | undefined;
};

export type BatchFailure = {
  readonly ok: false;
  readonly op: BatchOperation['op'];
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
  /** Of a put or a delete; undefined for a get. */
  readonly outcome: Outcome | undefined;
  /** What else the node tells of this operation. */
  readonly data: Readonly<Record<string, unknown>>;
};

export type BatchResult = BatchSuccess | BatchFailure;

/** A range of keys in byte order. */
export type RangeQuery = {
  readonly prefix?: Bytes;
  /** Inclusive. */
  readonly start?: Bytes;
  /** Exclusive. */
  readonly end?: Bytes;
  /** Entries at most. */
  readonly limit?: number;
  readonly reverse?: boolean;
  /** Leave the values out. */
  readonly keysOnly?: boolean;
};

/** `limit` is 1..1000, default 100; `cursor` is the one of the page before, with the other members unchanged. */
export type PageQuery = RangeQuery & { readonly cursor?: string };

export type Entry = ValueInfo & {
  readonly key: Uint8Array;
  /** Undefined with `keysOnly`. */
  readonly value: Uint8Array | undefined;
};

/** The range is at its end where `cursor` is undefined; a page may be short, or empty, before that. */
export type Page = { readonly entries: Entry[]; readonly cursor: string | undefined };

export type NamespaceInfo = {
  readonly name: string;
  readonly consistency: string;
  readonly createdAt: Date;
};

export type Check = { readonly name: string; readonly ok: boolean; readonly reason?: string | null };

export type Readiness = { readonly ready: boolean; readonly checks: readonly Check[] };

/** What became of the settings file since the start of the node. */
export type ConfigStatus = {
  /** Its path; absent where there is none. */
  readonly file?: string;
  /** Of the content that is in effect: the first 16 hexadecimal digits of its SHA-256. */
  readonly fileHash?: string;
  /** Why the content that is there now is not used, and its hash. */
  readonly problem?: string;
  readonly refusedHash?: string;
  /** Settings that have another value in the file, which counts after a restart. */
  readonly restartNeeded: readonly string[];
};

/** A setting as it counts now. */
export type SettingInEffect = {
  readonly name: string;
  readonly value: string | number | boolean | readonly string[];
  /** Where it comes from, in words. */
  readonly origin: string;
  /** A node that runs takes another value from its file. */
  readonly isLive: boolean;
  /** What it will be after a restart, where that is something else. */
  readonly afterRestart?: string | number | boolean | readonly string[];
};

export type NodeConfig = ConfigStatus & { readonly settings: readonly SettingInEffect[] };

export type NodeStatus = {
  readonly name: string;
  readonly version: string;
  readonly engine: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  readonly ready: boolean;
  readonly checks: readonly Check[];
  readonly storage: {
    readonly state: 'ok' | 'full' | 'failed';
    readonly freeBytes: number;
    readonly reserveBytes: number;
  };
  /** How many there are. */
  readonly namespaces: number;
  /** Absent where the node is of a version that reads its settings file only at its start. */
  readonly config?: ConfigStatus;
  readonly cluster?: {
    readonly state: NodeState;
    readonly clusterId?: string;
    readonly epoch: number;
    /** Its name. */
    readonly leader?: string;
  };
};
