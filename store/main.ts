import { mkdirSync } from 'node:fs';
import { createNoCluster } from './cluster/no-cluster.ts';
import type { ResolvedConfig } from './config/resolve-config.ts';
import type { Config } from './config/settings.ts';
import { defaultHttpOptions, type HttpOptions } from './io/http/http-options.ts';
import { type HttpServer, startHttpServer } from './io/http/server.ts';
import { createLogger, type Logger } from './io/log.ts';
import { createMetrics, type Metrics } from './io/metrics.ts';
import { ENGINE_DEFAULTS, type EngineOptions, openEngine } from './io/open-engine.ts';
import { systemClock } from './io/system-clock.ts';
import { systemRandom } from './io/system-random.ts';
import { type KvorumNode, startNode } from './node/start-node.ts';
import { createIsolatedTransport } from './ports/isolated-transport.ts';
import { KVORUM_VERSION } from './version.ts';

const EXIT_OK = 0;
const EXIT_NOT_STARTED = 3;
const EXIT_STORAGE_FAILED = 70;

/**
 * Runs a node until SIGTERM, SIGINT or a failed storage; returns the exit code. After a failed write or fsync the
 * process ends at once with 70: only a restart, which reads what is really on the disk, can tell what was kept.
 */
export async function runServer({ config }: ResolvedConfig): Promise<number> {
  const log = createLogger({ level: config['log.level'], name: config['node.name'] });
  const metrics = createMetrics();
  let running: Running;
  try {
    running = await start(config, log, metrics);
  } catch (error) {
    log.fatal({ err: error }, 'the node did not start');
    process.stderr.write(`kvorum: the node did not start: ${(error as Error).message}\n`);
    return EXIT_NOT_STARTED;
  }
  const signal = await nextSignal();
  log.info({ signal }, 'stopping: no new requests, finishing what is in flight');
  await running.server.close(config['shutdown.graceMs']);
  await running.node.stop();
  log.info('stopped');
  return EXIT_OK;
}

type Running = { readonly node: KvorumNode; readonly server: HttpServer };

async function start(config: Config, log: Logger, metrics: Metrics): Promise<Running> {
  mkdirSync(config['node.dataDir'], { recursive: true });
  const startedAtMs = systemClock.monotonicMs();
  // The threads of an engine that is left open would keep a process alive that did not start.
  await using onFailure = new AsyncDisposableStack();
  const { engine, reason } = await openEngine(config['storage.engine'], engineOptions(config), {
    clock: systemClock,
    random: systemRandom,
    onCommit: (group, seconds) => metrics.observeGroupCommit(group.batches.length, group.bytes, seconds),
  });
  onFailure.defer(() => engine.close());
  if (reason !== undefined) log.warn({ engine: engine.name }, reason);
  const ports = { clock: systemClock, random: systemRandom, transport: createIsolatedTransport(), engine };
  const node = await startNode(config, ports, {
    onStorageFailed(error) {
      metrics.countEngineError('write');
      log.fatal({ err: error }, 'the storage failed: this process ends');
      process.exit(EXIT_STORAGE_FAILED);
    },
    onReaped: (records) => metrics.countReaped(records),
    onBackgroundError: (error) => log.error({ err: error }, 'background work failed and will be tried again'),
  });
  onFailure.defer(() => node.stop());
  const server = await startHttpServer(httpOptions(config), {
    store: node.store,
    cluster: createNoCluster(config['node.name']),
    clock: systemClock,
    log,
    metrics,
    readiness: () => readinessOf(node),
    status: () => statusOf(config, node, startedAtMs),
  });
  const openedInMs = Math.round(systemClock.monotonicMs() - startedAtMs);
  log.info({ address: server.address, engine: engine.name, openedInMs, ...node.identity }, 'ready');
  onFailure.move();
  return { node, server };
}

function engineOptions(config: Config): EngineOptions {
  return {
    ...ENGINE_DEFAULTS,
    location: config['node.dataDir'],
    cacheBytes: config['storage.cacheBytes'],
    memtableBytes: config['storage.memtableBytes'],
    writeGroupBytesMax: config['storage.writeGroupBytesMax'],
  };
}

function httpOptions(config: Config): HttpOptions {
  return {
    ...defaultHttpOptions,
    host: config['http.host'],
    port: config['http.port'],
    connectionsMax: config['http.connectionsMax'],
    inFlightRequestsMax: config['http.inFlightRequestsMax'],
    inFlightBytesMax: config['http.inFlightBytesMax'],
    headerBytesMax: config['http.headerBytesMax'],
    headersTimeoutMs: config['http.headersTimeoutMs'],
    requestTimeoutMs: config['http.requestTimeoutMs'],
    keepAliveTimeoutMs: config['http.keepAliveTimeoutMs'],
    streamStallMsMax: config['http.streamStallMsMax'],
    keyBytesMax: config['limits.keyBytesMax'],
    valueBytesMax: config['limits.valueBytesMax'],
    batchOperationsMax: config['limits.batchOperationsMax'],
    batchBytesMax: config['limits.batchBytesMax'],
    scanLimitMax: config['limits.scanEntriesMax'],
    scanPageBytesMax: config['limits.scanPageBytesMax'],
  };
}

function readinessOf(node: KvorumNode) {
  const checks = node.readiness();
  return { ready: checks.every((check) => check.ok), checks };
}

function statusOf(config: Config, node: KvorumNode, startedAtMs: number) {
  const uptimeSeconds = Math.round((systemClock.monotonicMs() - startedAtMs) / 1000);
  const { engine, state, freeBytes, reserveBytes } = node.storage();
  return {
    name: config['node.name'],
    version: KVORUM_VERSION,
    engine,
    startedAt: new Date(systemClock.nowMs() - uptimeSeconds * 1000).toISOString(),
    uptimeSeconds,
    ...readinessOf(node),
    storage: { state, freeBytes: freeBytes ?? 0, reserveBytes },
    namespaces: node.store.listNamespaces().length,
  };
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
}
