import { Agent, type Dispatcher } from 'undici';

/** Where the API server is and who we are to it. */
export type KubeConnection = {
  /** Without a slash at the end. */
  readonly serverUrl: string;
  /** That of the kubeconfig's context or of the pod's service account. */
  readonly namespace: string | undefined;
  /** Headers and the pool of connections for the next request; the pool is the same one until certificates change. */
  access(): Promise<KubeAccess>;
  /** The server did not believe who we are: the next `access` reads it anew. */
  renew(): void;
  close(): Promise<void>;
};

export type KubeAccess = {
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
};

/** Watches take a connection each. What needs more waits for one, and so for its deadline. */
export const CONNECTIONS_MAX = 512;
/** The API server keeps idle connections for longer, so that it is we who close them. */
const IDLE_CONNECTION_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Load balancers forget silent connections after a minute or so. */
const TCP_KEEP_ALIVE_MS = 30_000;

/** Deadlines are set per call, and watches have none: the pool itself has no limits of time but that for connecting. */
export const POOL_OPTIONS = {
  ...{ connections: CONNECTIONS_MAX, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 },
  ...{ keepAliveTimeout: IDLE_CONNECTION_MS, keepAliveMaxTimeout: IDLE_CONNECTION_MS },
};

export const CONNECT_OPTIONS = {
  ...{ timeout: CONNECT_TIMEOUT_MS, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS },
};

/** A server that wants no certificates: `kubectl proxy`, or a test's. */
export function plainConnection(
  serverUrl: string,
  headers: Readonly<Record<string, string>> = {},
): KubeConnection {
  const dispatcher = new Agent({ ...POOL_OPTIONS, connect: CONNECT_OPTIONS });
  return {
    serverUrl: serverUrl.replace(/\/+$/, ''),
    namespace: undefined,
    access: async () => ({ headers, dispatcher }),
    renew: () => undefined,
    // Watches that are still open must not hold it up.
    close: () => dispatcher.destroy(),
  };
}
