import { mkdirSync } from 'node:fs';
import { LiveConfig, settingsAs } from './config/live-config.ts';
import type { ConfigSources, ResolvedConfig } from './config/resolve-config.ts';
import type { Config } from './config/settings.ts';
import { choosePort } from './io/chosen-port.ts';
import { clusterSnapshot } from './io/cluster-snapshot.ts';
import { setCollector } from './io/collector.ts';
import { type ConfigFile, followConfigFile } from './io/config-file.ts';
import { defer } from './io/defer.ts';
import { dnsResolver } from './io/dns-resolver.ts';
import { catchUpThrough } from './io/http/client-epoch.ts';
import { defaultHttpOptions, type HttpOptions } from './io/http/http-options.ts';
import { type HttpServer, startHttpServer } from './io/http/server.ts';
import { openHttpFiles } from './io/http-files.ts';
import { startLoadMeter } from './io/load-meter.ts';
import { createLogger, type Logger } from './io/log.ts';
import { createMetrics, type Metrics } from './io/metrics.ts';
import { ENGINE_DEFAULTS, type EngineOptions, openEngine } from './io/open-engine.ts';
import { PeerTraffic } from './io/peer-traffic.ts';
import { allowsRemoteStop } from './io/remote-stop.ts';
import { openResp } from './io/resp/open-resp.ts';
import type { RespStatus } from './io/resp/resp-context.ts';
import type { RespServer } from './io/resp/server.ts';
import { systemClock } from './io/system-clock.ts';
import { systemRandom } from './io/system-random.ts';
import { type TcpEvents, tcpOptions } from './io/tcp/options.ts';
import { TcpTransport } from './io/tcp/tcp-transport.ts';
import { type KvorumNode, type NodeEvents, startNode } from './node/start-node.ts';
import { KVORUM_VERSION } from './version.ts';

const EXIT_OK = 0;
const EXIT_NOT_STARTED = 3;
const EXIT_STORAGE_FAILED = 70;
const EXIT_CONSENSUS_FAILED = 71;

const LOAD_INTERVAL_MS = 1000;

/**
 * Runs a node until SIGTERM, SIGINT, a request to stop or a failed storage; returns the exit code. After a failed write or fsync the
 * process ends at once with 70: only a restart, which reads what is really on the disk, can tell what was kept. `sources` gave `resolved`;
 * their file is read again when it changes, and at SIGHUP.
 */
export async function runServer(resolved: ResolvedConfig, sources: ConfigSources): Promise<number> {
  setCollector();
  const { config } = resolved;
  const log = createLogger({ level: config['log.level'], name: config['node.name'] });
  const metrics = createMetrics();
  const asked = Promise.withResolvers<'request'>();
  let running: Running | undefined;
  // Without a file there is nothing to read, and SIGHUP ends the process as it does others.
  if (sources.file !== undefined) process.on('SIGHUP', () => void running?.configFile.look());
  try {
    running = await start({ resolved, sources }, log, metrics, () => asked.resolve('request'));
  } catch (error) {
    log.fatal({ err: error }, 'the node did not start');
    process.stderr.write(`kvorum: the node did not start: ${(error as Error).message}\n`);
    return EXIT_NOT_STARTED;
  }
  const by = await Promise.race([nextSignal(), asked.promise]);
  log.info({ by }, 'stopping: no new requests, finishing what is in flight');
  const graceMs = config['shutdown.graceMs'];
  await Promise.all([running.server.close(graceMs), running.resp?.close(graceMs)]);
  running.loadMeter[Symbol.dispose]();
  running.files[Symbol.dispose]();
  running.configFile[Symbol.dispose]();
  await running.node.stop();
  log.info('stopped');
  return EXIT_OK;
}

type Running = {
  readonly node: KvorumNode;
  readonly server: HttpServer;
  readonly resp: RespServer | undefined;
  readonly loadMeter: Disposable;
  readonly files: Disposable;
  readonly configFile: ConfigFile;
};

type Asked = { readonly resolved: ResolvedConfig; readonly sources: ConfigSources };

async function start(asked: Asked, log: Logger, metrics: Metrics, stop: () => void): Promise<Running> {
  const { config: given } = asked.resolved;
  const live = new LiveConfig(given, {
    'http.port': await choosePort(given['http.host'], given['http.port']),
    'resp.port': await choosePort(given['resp.host'], given['resp.port']),
  });
  const { config } = live;
  live.onChange(() => {
    log.level = config['log.level'];
  });
  mkdirSync(config['node.dataDir'], { recursive: true });
  const startedAtMs = systemClock.monotonicMs();
  // The threads of an engine that is left open would keep a process alive that did not start.
  await using onFailure = new AsyncDisposableStack();
  const configFile = onFailure.use(await followConfigFile(live, asked, { clock: systemClock, log, metrics }));
  const files = onFailure.use(await openHttpFiles(config, { clock: systemClock, log, metrics }));
  const { engine, reason } = await openEngine(config['storage.engine'], engineOptions(config), {
    clock: systemClock,
    random: systemRandom,
    onCommit: (group, seconds) => metrics.observeGroupCommit(group.batches.length, group.bytes, seconds),
  });
  onFailure.defer(() => engine.close());
  if (reason !== undefined) log.warn({ engine: engine.name }, reason);
  const traffic = new PeerTraffic();
  const transport = new TcpTransport(tcpOptions(config), {
    clock: systemClock,
    random: systemRandom,
    events: linkEvents(log, traffic),
  });
  const ports = { clock: systemClock, random: systemRandom, transport, resolver: dnsResolver, engine, defer };
  const node = await startNode(config, ports, nodeEvents(log, metrics, traffic));
  onFailure.defer(() => node.stop());
  metrics.watchData(() => node.data()?.status());
  metrics.watchCluster(() => clusterSnapshot(node, traffic.snapshot(transport.links())));
  const report = (load: number): void => node.reportLoad(load);
  const loadMeter = onFailure.use(
    startLoadMeter({ intervalMs: LOAD_INTERVAL_MS }, { clock: systemClock, report }),
  );
  const server = await startHttpServer(httpOptions(config), {
    tokens: files.tokens,
    certificate: files.certificate,
    store: node.store,
    cluster: node.cluster,
    data: node.data,
    catchUpTo: catchUpThrough(node.cluster),
    clock: systemClock,
    log,
    metrics,
    readiness: () => readinessOf(node),
    status: () => ({ ...statusOf(config, node, startedAtMs), config: configFile.status() }),
    settings: () => configFile.settings(),
    stop,
  });
  onFailure.defer(() => server.close(0));
  const resp = await openResp(config, {
    tokens: files.tokens,
    certificate: files.certificate,
    store: node.store,
    cluster: node.cluster,
    data: node.data,
    clock: systemClock,
    defer,
    log,
    metrics,
    status: () => respStatusOf(config, node, startedAtMs),
  });
  const openedInMs = Math.round(systemClock.monotonicMs() - startedAtMs);
  const peerAddress = transport.address;
  log.info(
    { address: server.address, resp: resp?.address, peerAddress, engine: engine.name, openedInMs },
    'started',
  );
  onFailure.move();
  return { node, server, resp, loadMeter, files, configFile };
}

function nodeEvents(log: Logger, metrics: Metrics, traffic: PeerTraffic): NodeEvents {
  return {
    onStorageFailed(error) {
      metrics.countEngineError('write');
      log.fatal({ err: error }, 'the storage failed: this process ends');
      process.exit(EXIT_STORAGE_FAILED);
    },
    onConsensusFailed(error) {
      log.fatal({ err: error }, 'an invariant of the consensus is broken: this process ends');
      process.exit(EXIT_CONSENSUS_FAILED);
    },
    onPhase({ node, clusterId }) {
      const { state, member, incarnation, reason } = node;
      log.info({ state, clusterId, member, incarnation, reason }, `cluster: ${state}`);
    },
    onNotice: (message, fields) => log.warn(fields, message),
    onRefused(address, by, { code, message }, peer) {
      traffic.onRefused(code);
      const fields = { address, peer: peer?.name, peerCluster: peer?.clusterId, code, reason: message };
      // A seed that is the name of many nodes, as in Kubernetes, is the name of this one too.
      const level = code === 'SELF' ? 'debug' : 'warn';
      log[level](fields, by === 'us' ? 'refused a peer' : 'refused by a peer');
    },
    onProposed: (outcome, seconds) => metrics.observeProposal(outcome, seconds),
    onReaped: (records) => metrics.countReaped(records),
    data: { ...metrics.dataEvents, onDataNotice: (message, fields) => log.warn(fields, message) },
    onBackgroundError: (error) => log.error({ err: error }, 'background work failed and will be tried again'),
  };
}

function linkEvents(log: Logger, traffic: PeerTraffic): TcpEvents {
  return {
    onProtocolError: (address, reason) =>
      log.warn({ address, reason }, 'a peer connection broke the protocol'),
    onUnreachable: (address, reason) => log.debug({ address, reason }, 'a peer cannot be reached'),
    onLinkClosed: (address, reason) => log.debug({ address, reason }, 'a peer link ended'),
    onRequestFailed: (address, error) => log.error({ address, err: error }, 'a request of a peer failed'),
    onDropped: () => traffic.onDropped(),
    onBytes: (direction, bytes) => traffic.onBytes(direction, bytes),
    onTlsFilesError: (reason) => log.error({ reason }, 'the TLS files cannot be used'),
  };
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
  return settingsAs(
    config,
    {
      host: 'http.host',
      port: 'http.port',
      connectionsMax: 'http.connectionsMax',
      inFlightRequestsMax: 'http.inFlightRequestsMax',
      inFlightBytesMax: 'http.inFlightBytesMax',
      headerBytesMax: 'http.headerBytesMax',
      headersTimeoutMs: 'http.headersTimeoutMs',
      requestTimeoutMs: 'http.requestTimeoutMs',
      keepAliveTimeoutMs: 'http.keepAliveTimeoutMs',
      streamStallMsMax: 'http.streamStallMsMax',
      askedTimeoutMsMax: 'replication.requestTimeoutMsMax',
      keyBytesMax: 'limits.keyBytesMax',
      valueBytesMax: 'limits.valueBytesMax',
      batchOperationsMax: 'limits.batchOperationsMax',
      batchBytesMax: 'limits.batchBytesMax',
      scanLimitMax: 'limits.scanEntriesMax',
      scanPageBytesMax: 'limits.scanPageBytesMax',
    },
    { ...defaultHttpOptions, remoteStop: allowsRemoteStop(config) },
  );
}

/** Of what INFO tells clients of Redis. */
function respStatusOf(config: Config, node: KvorumNode, startedAtMs: number): RespStatus {
  return {
    name: config['node.name'],
    version: KVORUM_VERSION,
    engine: node.storage().engine,
    uptimeSeconds: Math.round((systemClock.monotonicMs() - startedAtMs) / 1000),
    processId: process.pid,
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
    namespaces: node.internals.member?.topology.state?.namespaces.size ?? 0,
    cluster: clusterOf(node),
  };
}

function clusterOf({ cluster }: KvorumNode) {
  const { node, clusterId, epoch, leader } = cluster.status();
  return { state: node.state, clusterId, epoch, leader: leader?.name };
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
}
