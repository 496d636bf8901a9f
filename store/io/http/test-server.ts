import { connect } from 'node:net';
import type { Clock } from '../../ports/clock.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { catchUpThrough } from './client-epoch.ts';
import type { ConfigStatus, HttpDeps, NodeStatus } from './http-context.ts';
import { defaultHttpOptions, type HttpOptions } from './http-options.ts';
import { type HttpServer, startHttpServer } from './server.ts';
import { TestCluster } from './test-cluster.ts';
import { TestData } from './test-data.ts';
import { TestStore } from './test-store.ts';

/** A server over a TestStore on a free port, for tests; disposing it closes it. */
export type TestServer = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  readonly store: TestStore;
  readonly cluster: TestCluster;
  readonly data: TestData;
  readonly metrics: Metrics;
  readonly http: HttpServer;
  /** What it says of its settings file; undefined as of a version that has no word of it. */
  config: ConfigStatus | undefined;
  /** How often it was told to stop. */
  readonly stops: () => number;
};

type TestChanges = Pick<HttpDeps, 'tokens' | 'certificate'> & { readonly warn?: (fields: object) => void };

export async function startTestServer(
  changes: Partial<HttpOptions> = {},
  { tokens, certificate, warn }: TestChanges = {},
): Promise<TestServer> {
  const store = new TestStore();
  const cluster = new TestCluster();
  const data = new TestData(cluster, store);
  const metrics = createMetrics();
  const deps = testDeps(store, cluster, metrics);
  let stops = 0;
  let config: ConfigStatus | undefined = { restartNeeded: ['node.zone'] };
  const http = await startHttpServer(
    { ...defaultHttpOptions, port: 0, ...changes },
    {
      ...deps,
      ...{ tokens, certificate, data: () => data, stop: () => void stops++ },
      status: () => ({ ...deps.status(), config }),
      log: { ...deps.log, ...(warn && { warn }) },
    },
  );
  const { port } = http.address;
  const dispose = (): Promise<void> => http.close(0);
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    store,
    cluster,
    data,
    metrics,
    http,
    stops: () => stops,
    get config() {
      return config;
    },
    set config(next) {
      config = next;
    },
    [Symbol.asyncDispose]: dispose,
  };
}

export function testDeps(store: TestStore, cluster: TestCluster, metrics: Metrics): HttpDeps {
  const checks = [{ name: 'storage', ok: true }];
  const status = () => ({
    ...{ name: 'node-1', version: '0.1.0', engine: 'memory', startedAt: new Date(0).toISOString() },
    ...{ uptimeSeconds: 1, ready: true, checks, namespaces: 1 },
    storage: { state: 'ok' as const, freeBytes: 1, reserveBytes: 1 },
    cluster: clusterOf(cluster),
  });
  const silent = (): void => {};
  const log = { error: silent, warn: silent, info: silent, debug: silent };
  return {
    store,
    cluster,
    data: () => undefined,
    catchUpTo: catchUpThrough(cluster),
    metrics,
    log,
    clock: realClock,
    status,
    settings: () => SETTINGS,
    readiness: () => ({ ready: store.failure === undefined, checks }),
    stop: silent,
  };
}

const SETTINGS = [
  { name: 'log.level', value: 'info', origin: 'default', isLive: true },
  { name: 'node.zone', value: '', origin: 'default', isLive: false, afterRestart: 'a' },
];

function clusterOf(cluster: TestCluster): NodeStatus['cluster'] {
  const { node, clusterId, epoch, leader } = cluster.status();
  return { state: node.state, clusterId, epoch, leader: leader?.name };
}

const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Sends `parts`, `pauseMs` apart, and gives back everything until the server closes or falls silent. */
export function exchangeRaw(
  port: number,
  parts: readonly (string | Buffer)[],
  pauseMs = 0,
  quietMs = 300,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    let quiet: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(quiet);
      socket.destroy();
      resolve(received);
    };
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      clearTimeout(quiet);
      quiet = setTimeout(finish, quietMs);
    });
    socket.on('error', finish);
    socket.on('close', finish);
    void sendAll(socket, parts, pauseMs);
  });
}

async function sendAll(
  socket: { write(part: string | Buffer): boolean; destroyed: boolean },
  parts: readonly (string | Buffer)[],
  pauseMs: number,
): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed) return;
    socket.write(part);
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
