import type { ClusterAdmin, NodeState } from '../../cluster/cluster-admin.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DataAdmin } from '../../replication/data-admin.ts';
import type { KvStore } from '../../storage/kv-store.ts';
import type { Metrics } from '../metrics.ts';
import type { Reloaded } from '../reloaded.ts';
import type { Access } from './access.ts';
import type { Certificate } from './certificate.ts';
import type { CatchUpTo } from './client-epoch.ts';
import type { HttpOptions } from './http-options.ts';
import type { InFlight } from './in-flight.ts';
import type { HttpSchemas } from './schemas.ts';
import type { TokenTable } from './token-file.ts';

/** What the HTTP interface is given. */
export type HttpDeps = {
  readonly store: KvStore;
  readonly cluster: ClusterAdmin;
  /** Undefined while there is no data to tell of: what asks for it answers 503 CLUSTER_FORMING. */
  data(): DataAdmin | undefined;
  readonly catchUpTo: CatchUpTo;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** The tokens that are accepted; undefined where everybody may ask for anything. */
  readonly tokens?: Pick<Reloaded<TokenTable>, 'value'> | undefined;
  /** Undefined where the interface speaks plain HTTP. */
  readonly certificate?: Reloaded<Certificate> | undefined;
  status(): NodeStatus;
  settings(): readonly SettingInEffect[];
  readiness(): Readiness;
  /** Begins to stop this node as SIGTERM does: what is in flight is finished. May be called again. */
  stop(): void;
};

/** What every handler reaches. */
export type HttpContext = HttpDeps & {
  readonly options: HttpOptions;
  readonly schemas: HttpSchemas;
  readonly inFlight: InFlight;
  /** The newest epoch of a client that this node is known to have applied. */
  readonly epochs: { applied: number };
  /** Undefined where everybody may ask for anything. */
  readonly access: Access | undefined;
  readonly openApi: object;
  /** Aborted once: answers then tell the client to close its connection, and what waits for news ends. */
  readonly closing: AbortController;
};

/** The part of pino's logger that is used here. */
export type Logger = {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
};

export type Check = { readonly name: string; readonly ok: boolean; readonly reason?: string | undefined };

export type Readiness = { readonly ready: boolean; readonly checks: readonly Check[] };

/** What became of the settings file since the start. */
export type ConfigStatus = {
  /** Its path; absent where there is none. */
  readonly file?: string | undefined;
  /** Of the content that is in effect: the first 16 hexadecimal digits of its SHA-256. */
  readonly fileHash?: string | undefined;
  /** Why the content that is there now is not used, and its hash. */
  readonly problem?: string | undefined;
  readonly refusedHash?: string | undefined;
  /** Settings that have another value in the file, which counts after a restart. */
  readonly restartNeeded: readonly string[];
};

/** A setting as it counts now. */
export type SettingInEffect = {
  readonly name: string;
  readonly value: unknown;
  /** Where it comes from, in words. */
  readonly origin: string;
  readonly isLive: boolean;
  /** What it will be after a restart, where that is something else. */
  readonly afterRestart?: unknown;
};

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
  readonly namespaces: number;
  readonly config?: ConfigStatus | undefined;
  readonly cluster?:
    | {
        readonly state: NodeState;
        readonly clusterId?: string | undefined;
        readonly epoch: number;
        /** Its name. */
        readonly leader?: string | undefined;
      }
    | undefined;
};
