import * as http from 'node:http';
import * as https from 'node:https';
import type { Executed } from './errors.ts';
import type { NodeAddress } from './node-address.ts';

/** Below the 5 s after which Node and many proxies close an idle connection: else a write could meet the closing one. */
const IDLE_MS = 4000;

export type WireRequest = {
  readonly method: string;
  /** Sent as it stands, behind the address's prefix. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | undefined;
  readonly signal: AbortSignal;
  readonly connectTimeoutMs: number;
};

/** Why no answer came: `executed` is `no` where the connection was never made, so that nothing was sent. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
  override readonly cause: Error;
  readonly executed: Executed;

  constructor(cause: Error, executed: Executed) {
    super(cause.message, { cause });
    this.cause = cause;
    this.executed = executed;
  }
}

export type ConnectionOptions = {
  /** Connections to a node at most; further requests wait for one. */
  readonly perNode: number;
  readonly tls?: TlsOptions | undefined;
};

/** How nodes behind https URLs show who they are. */
export type TlsOptions = {
  /** PEM of the authorities that sign the certificates of nodes, in place of those that Node trusts. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
};

/** Connections to nodes, kept open between requests. */
export class Connections {
  readonly #http: http.Agent;
  readonly #https: https.Agent;

  constructor({ perNode, tls }: ConnectionOptions) {
    const options = { keepAlive: true, maxSockets: perNode, timeout: IDLE_MS, scheduling: 'lifo' } as const;
    this.#http = new http.Agent(options);
    this.#https = new https.Agent({ ...options, ...caOf(tls) });
  }

  /** The answer, with its body still to be read. Throws ExchangeError, and TypeError for what HTTP cannot carry. */
  exchange(address: NodeAddress, request: WireRequest): Promise<http.IncomingMessage> {
    const { isTls, host, port, pathPrefix } = address;
    const { method, headers, body, signal } = request;
    const target = { host, port, method, path: pathPrefix + request.path, headers, signal };
    const outgoing = isTls
      ? https.request({ ...target, agent: this.#https })
      : http.request({ ...target, agent: this.#http });
    const answer = settled(outgoing, isTls ? 'secureConnect' : 'connect', request.connectTimeoutMs);
    outgoing.end(body);
    return answer;
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

function caOf(tls: TlsOptions | undefined): https.AgentOptions {
  const ca = tls?.ca;
  if (ca === undefined) return {};
  const all = typeof ca === 'string' || ca instanceof Uint8Array ? [ca] : ca;
  return { ca: all.map((each) => (typeof each === 'string' ? each : Buffer.from(each))) };
}

function settled(
  outgoing: http.ClientRequest,
  connected: 'connect' | 'secureConnect',
  connectTimeoutMs: number,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    let executed: Executed = 'no';
    let timer: NodeJS.Timeout | undefined;
    outgoing.once('socket', (socket) => {
      const onConnected = (): void => {
        clearTimeout(timer);
        executed = 'unknown';
      };
      if (!socket.connecting) return onConnected();
      const error = new Error(`no connection within ${connectTimeoutMs} ms`);
      timer = setTimeout(() => outgoing.destroy(error), connectTimeoutMs);
      socket.once(connected, onConnected);
    });
    outgoing.once('response', resolve);
    outgoing.on('error', (cause) => reject(new ExchangeError(cause, executed)));
    outgoing.once('close', () => clearTimeout(timer));
  });
}
