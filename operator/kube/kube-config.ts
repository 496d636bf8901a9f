import type { RequestOptions } from 'node:https';
import type { Cluster, KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Clock } from '../../store/ports/clock.ts';
import { CONNECT_OPTIONS, type KubeAccess, type KubeConnection, POOL_OPTIONS } from './kube-connection.ts';

export type KubeConfigOptions = {
  /** A kubeconfig file; without it $KUBECONFIG, ~/.kube/config, or the pod's service account, whichever is there first. */
  readonly path?: string | undefined;
  /** A context of the file other than its current one. */
  readonly context?: string | undefined;
};

export class KubeConfigError extends Error {
  override readonly name = 'KubeConfigError';
}

/** Token files and exec plugins are asked again this long after the last time, at the next request. */
const FRESH_MS = 10_000;

/**
 * Connects as a kubeconfig says. The package is loaded here and nowhere else: it is large. Of it come the files, the
 * ways to sign in and the TLS options; the pool is one of ours, since the package makes a new one for each request.
 */
export async function connectKube(
  options: KubeConfigOptions,
  deps: { readonly clock: Clock },
): Promise<KubeConnection> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const load = (): KubeConfig => readConfig(new KubeConfig(), options);
  return new ConfiguredConnection(load, deps);
}

function readConfig(config: KubeConfig, { path, context }: KubeConfigOptions): KubeConfig {
  if (path === undefined) config.loadFromDefault();
  else config.loadFromFile(path);
  if (context !== undefined) {
    if (config.getContextObject(context) === null)
      throw new KubeConfigError(
        `kubeconfig has no context '${context}': use one of ${config.contexts.map(({ name }) => name).join(', ')}`,
      );
    config.setCurrentContext(context);
  }
  clusterOf(config);
  // Without TLS there is nothing to verify; the package asks to be told so.
  config.clusters = config.clusters.map((cluster) =>
    cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster,
  );
  return config;
}

function clusterOf(config: KubeConfig): Cluster {
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new KubeConfigError(
      `kubeconfig has no cluster for context '${config.currentContext}': set current-context to one that has`,
    );
  return cluster;
}

class ConfiguredConnection implements KubeConnection {
  readonly #load: () => KubeConfig;
  readonly #clock: Clock;
  #config: KubeConfig;
  #dispatcher: Dispatcher | undefined;
  /** The TLS options that the pool was made with. */
  #poolKey = '';
  #access: Promise<KubeAccess> | undefined;
  #accessMs = 0;

  constructor(load: () => KubeConfig, deps: { readonly clock: Clock }) {
    this.#load = load;
    this.#clock = deps.clock;
    this.#config = load();
  }

  get serverUrl(): string {
    return clusterOf(this.#config).server.replace(/\/+$/, '');
  }

  get namespace(): string | undefined {
    return this.#config.getContextObject(this.#config.currentContext)?.namespace?.trim() || undefined;
  }

  /** Calls at the same time share one look, so that an exec plugin is started once. */
  access(): Promise<KubeAccess> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#access !== undefined && nowMs - this.#accessMs < FRESH_MS) return this.#access;
    const access = this.#readAccess();
    this.#access = access;
    this.#accessMs = nowMs;
    access.catch(() => {
      if (this.#access === access) this.#access = undefined;
    });
    return access;
  }

  /** Loading anew also drops the package's own caches of tokens. A file that is half written is read the next time. */
  renew(): void {
    this.#access = undefined;
    try {
      this.#config = this.#load();
    } catch {
      // What was loaded before stays in use.
    }
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  async #readAccess(): Promise<KubeAccess> {
    const options: RequestOptions = {};
    const cluster = clusterOf(this.#config);
    await this.#config.applyToHTTPSOptions(options);
    return { headers: headersOf(options), dispatcher: this.#poolFor(cluster, options) };
  }

  #poolFor(cluster: Cluster, options: RequestOptions): Dispatcher {
    const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = options;
    const poolKey = JSON.stringify([
      cluster,
      ...[ca, cert, key, pfx].map(String),
      passphrase,
      servername,
      rejectUnauthorized,
    ]);
    if (this.#dispatcher !== undefined && poolKey === this.#poolKey) return this.#dispatcher;
    // Requests under way are finished over the old pool.
    void this.#dispatcher?.close();
    this.#poolKey = poolKey;
    this.#dispatcher = createPool(this.#config, cluster, options);
    return this.#dispatcher;
  }
}

function createPool(config: KubeConfig, cluster: Cluster, tls: RequestOptions): Dispatcher {
  const wanted = config.createDispatcherOptions(cluster, tls as object);
  switch (wanted.type) {
    case 'none':
      return new Agent({ ...POOL_OPTIONS, connect: CONNECT_OPTIONS });
    case 'agent':
      return new Agent({ ...POOL_OPTIONS, connect: { ...wanted.connect, ...CONNECT_OPTIONS } as object });
    case 'proxy':
      return new ProxyAgent({ ...POOL_OPTIONS, uri: wanted.uri, requestTls: wanted.requestTls as object });
    case 'socks':
      throw new KubeConfigError(
        `proxy-url ${wanted.uri}: SOCKS proxies are not supported; use an HTTP proxy`,
      );
  }
}

function headersOf({ headers = {}, auth }: RequestOptions): Record<string, string> {
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  const all = Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), String(value).trim()]));
  if (typeof auth !== 'string') return all;
  return { ...all, authorization: `Basic ${Buffer.from(auth).toString('base64')}` };
}
