import type { ClusterAdmin } from '../../cluster/cluster-admin.ts';
import type { RequestLimits } from '../../core/resp/request-reader.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DataAdmin } from '../../replication/data-admin.ts';
import type { KvStore } from '../../storage/kv-store.ts';
import type { Certificate } from '../http/certificate.ts';
import type { Logger } from '../http/http-context.ts';
import type { TokenTable } from '../http/token-file.ts';
import type { Metrics } from '../metrics.ts';
import type { Reloaded } from '../reloaded.ts';
import type { KeyRouting } from './key-routing.ts';
import type { RespOptions } from './resp-options.ts';
import type { ScanCursors } from './scan-cursors.ts';

/** What the RESP interface is given. */
export type RespDeps = {
  readonly store: KvStore;
  readonly cluster: ClusterAdmin;
  /** Undefined while there is no data to tell of. */
  data(): DataAdmin | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Calls `work` once everything that is ready in this turn of the event loop has run. */
  readonly defer: (work: () => void) => void;
  /** Those of the HTTP interface; undefined where everybody may do everything. */
  readonly tokens?: Pick<Reloaded<TokenTable>, 'value'> | undefined;
  /** That of the HTTP interface; undefined where this one speaks without TLS. */
  readonly certificate?: Reloaded<Certificate> | undefined;
  status(): RespStatus;
};

/** What INFO tells of the node. */
export type RespStatus = {
  readonly name: string;
  readonly version: string;
  readonly engine: string;
  readonly uptimeSeconds: number;
  readonly processId: number;
};

/** What all connections share. */
export type RespContext = RespDeps & {
  readonly options: RespOptions;
  /** Where it listens. */
  readonly port: number;
  /** Commands and bytes that are under way. */
  readonly inFlight: { commands: number; bytes: number; sweeps: number };
  /** Of requests, by whether their sender has shown who they are. */
  readonly limits: { readonly known: RequestLimits; readonly unknown: RequestLimits };
  readonly cursors: ScanCursors;
  readonly routing: KeyRouting;
  readonly sessions: ReadonlyMap<number, SessionView>;
  countRefused(reason: 'unknown' | 'role'): void;
};

/** A connection as CLIENT LIST tells of it. */
export type SessionView = { describe(nowMs: number): string };
