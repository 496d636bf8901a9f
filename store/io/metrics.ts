import { Counter, collectDefaultMetrics, Gauge, Histogram, type Metric, Registry } from 'prom-client';
import { type ClusterMetrics, clusterMetrics } from './cluster-metrics.ts';
import { type DataMetrics, dataMetrics } from './data-metrics.ts';
import type { RefusalReason } from './http/access.ts';
import { type HttpSeries, HttpTimings } from './http-timings.ts';
import { type RespMetrics, respMetrics } from './resp-metrics.ts';
import { type ScrapedValue, scraped } from './scraped-metric.ts';

/** What a node counts of itself. docs/metrics.md lists every metric; a test keeps the two equal. */
export type Metrics = ClusterMetrics &
  DataMetrics &
  RespMetrics & {
    readonly registry: Registry;
    /** The series of one route and method, bound once so that a request costs no look-up of labels. */
    httpSeries(route: string, method: string): HttpSeries;
    /** Asks for the gauges of the HTTP server at each scrape. */
    watchHttp(read: () => HttpGauges): void;
    /** A connection that was turned away because there are too many. */
    countRefusedConnection(): void;
    /** A request that showed no token that allows it. */
    countAuthRefused(reason: RefusalReason): void;
    /** Asks at each scrape for the files that are read again when they change. */
    watchFiles(read: () => WatchedFiles): void;
    /** Asks at each scrape what became of the settings file. */
    watchConfig(read: () => ConfigGauges): void;
    /** One synced batch of the storage: how many writes and bytes shared it, and how long it took. */
    observeGroupCommit(operations: number, bytes: number, seconds: number): void;
    /** A failure of the engine, by a short fixed kind such as `read`, `write`, `checksum`. */
    countEngineError(kind: string): void;
    /** Expired and deleted records that were removed from the disk. */
    countReaped(records: number): void;
  };

/** Undefined where the interface has no such files. */
export type WatchedFiles = {
  readonly tokens: { readonly isStale: boolean; readonly count: number } | undefined;
  readonly certificate: { readonly isStale: boolean; readonly expiresAtMs: number } | undefined;
};

/** `isStale` is undefined where there is no settings file. */
export type ConfigGauges = { readonly isStale: boolean | undefined; readonly restartNeeded: number };

export type HttpGauges = {
  readonly connections: number;
  readonly inFlightRequests: number;
  readonly inFlightBytes: number;
  readonly waitingRequests: number;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'kvorum_' });
  const timings = new HttpTimings();
  for (const metric of timings.metrics) registry.registerMetric(metric as unknown as Metric);
  return {
    registry,
    httpSeries: (route, method) => timings.series(route, method),
    watchHttp: httpGauges(registry),
    ...httpCounters(registry),
    watchFiles: fileGauges(registry),
    watchConfig: configGauges(registry),
    ...storageMetrics(registry),
    ...clusterMetrics(registry),
    ...dataMetrics(registry),
    ...respMetrics(registry),
  };
}

function httpGauges(registry: Registry): (read: () => HttpGauges) => void {
  let read = (): HttpGauges => ({
    connections: 0,
    inFlightRequests: 0,
    inFlightBytes: 0,
    waitingRequests: 0,
  });
  const gauge = (name: string, help: string, field: keyof HttpGauges): void => {
    const collect = function (this: Gauge): void {
      this.set(read()[field]);
    };
    new Gauge({ name, help, registers: [registry], collect });
  };
  gauge('kvorum_http_connections', 'Open client connections', 'connections');
  gauge('kvorum_http_in_flight_requests', 'Requests being served', 'inFlightRequests');
  gauge('kvorum_http_in_flight_bytes', 'Bytes of bodies being read, stored or sent', 'inFlightBytes');
  gauge('kvorum_http_waiting_requests', 'Requests that wait for a change of the topology', 'waitingRequests');
  return (next) => {
    read = next;
  };
}

/** A node that has no such file has no series of it. */
function fileGauges(registry: Registry): (read: () => WatchedFiles) => void {
  let read = (): WatchedFiles => ({ tokens: undefined, certificate: undefined });
  const gauge = (name: string, help: string, values: () => readonly ScrapedValue[]): void =>
    registry.registerMetric(scraped('gauge', name, help, () => values()) as unknown as Metric);
  gauge(
    'kvorum_http_file_stale',
    '1 where the files on disk cannot be used and those read before are: `certificate`, `tokens`',
    () =>
      Object.entries(read()).flatMap(([file, state]) =>
        state === undefined ? [] : [{ labels: { file }, value: Number(state.isStale) }],
      ),
  );
  gauge('kvorum_http_tokens', 'Tokens that are accepted', () => {
    const { tokens } = read();
    return tokens === undefined ? [] : [{ labels: {}, value: tokens.count }];
  });
  gauge(
    'kvorum_http_certificate_expires_seconds',
    'When the certificate of the HTTP interface expires, seconds since 1970',
    () => {
      const { certificate } = read();
      return certificate === undefined ? [] : [{ labels: {}, value: certificate.expiresAtMs / 1000 }];
    },
  );
  return (next) => {
    read = next;
  };
}

function configGauges(registry: Registry): (read: () => ConfigGauges) => void {
  let read = (): ConfigGauges => ({ isStale: undefined, restartNeeded: 0 });
  const gauge = (name: string, help: string, value: () => number | undefined): void => {
    const values = (): readonly ScrapedValue[] => {
      const now = value();
      return now === undefined ? [] : [{ labels: {}, value: now }];
    };
    registry.registerMetric(scraped('gauge', name, help, values) as unknown as Metric);
  };
  gauge(
    'kvorum_config_file_stale',
    '1 where the settings file on disk cannot be used and what was read before is in effect',
    () => {
      const { isStale } = read();
      return isStale === undefined ? undefined : Number(isStale);
    },
  );
  gauge(
    'kvorum_config_restart_needed',
    'Settings whose value in the settings file counts only after a restart',
    () => read().restartNeeded,
  );
  return (next) => {
    read = next;
  };
}

function httpCounters(registry: Registry): Pick<Metrics, 'countRefusedConnection' | 'countAuthRefused'> {
  const refused = new Counter({
    name: 'kvorum_http_refused_connections_total',
    help: 'Connections closed at once because the limit was reached',
    registers: [registry],
  });
  const unauthorized = new Counter({
    name: 'kvorum_http_auth_refused_total',
    help: 'Requests refused because of their token: missing, malformed, unknown, or of a role that does not allow them',
    labelNames: ['reason'],
    registers: [registry],
  });
  return {
    countRefusedConnection: () => refused.inc(),
    countAuthRefused: (reason) => unauthorized.inc({ reason }),
  };
}

function storageMetrics(
  registry: Registry,
): Pick<Metrics, 'observeGroupCommit' | 'countEngineError' | 'countReaped'> {
  const operations = new Histogram({
    name: 'kvorum_storage_commit_operations',
    help: 'Writes that shared one fsync',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    registers: [registry],
  });
  const bytes = new Histogram({
    name: 'kvorum_storage_commit_bytes',
    help: 'Bytes of keys and values that shared one fsync',
    buckets: [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'kvorum_storage_fsync_duration_seconds',
    help: 'Time of one synced batch; its count is the number of fsyncs',
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers: [registry],
  });
  const errors = new Counter({
    name: 'kvorum_storage_engine_errors_total',
    help: 'Failures of the storage engine',
    labelNames: ['kind'],
    registers: [registry],
  });
  const reaped = new Counter({
    name: 'kvorum_storage_reaped_records_total',
    help: 'Expired and deleted records removed from the disk',
    registers: [registry],
  });
  return {
    countReaped: (records) => reaped.inc(records),
    observeGroupCommit: (writes, size, took) => {
      operations.observe(writes);
      bytes.observe(size);
      seconds.observe(took);
    },
    countEngineError: (kind) => errors.inc({ kind }),
  };
}
