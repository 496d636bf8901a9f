import type { IncomingMessage } from 'node:http';
import { RETRY_DEFAULTS, type RetryOptions } from './backoff.ts';
import { Connections, type TlsOptions } from './connections.ts';
import { Deadline } from './deadline.ts';
import { type Answer, type Repeatable, toKvorumError, toResponseError } from './failure.ts';
import { InFlight } from './in-flight.ts';
import type { NodeHandle } from './node-handle.ts';
import { patientChunks } from './patient-chunks.ts';
import { withRetries } from './retry.ts';
import { clusterIdAt, fetchRing } from './ring-fetch.ts';
import { RingKeeper, type RingOptions } from './ring-keeper.ts';
import { Router, type Way } from './router.ts';
import { currentToken, type Token } from './token.ts';

const TIMEOUT_MS = 10_000;
const CONNECTIONS = 64;
/** Of the time of a call, for one connection to be made, and for one node to answer where another one could, too. */
const SHARE = 1 / 3;
const CONNECT_MS_MAX = 3000;
/** Shares for single nodes; the attempt behind them has all the time that is left. */
const LIMITED_ATTEMPTS = 2;
/** Of the time left, for the node: what it says about the outcome must still arrive. */
const NODE_SHARE = 0.9;
const NODE_TIMEOUT_MS_MAX = 60_000;
const RING_TIMEOUT_MS = 3000;
const PROOF_TIMEOUT_MS = 2000;

export type TransportOptions = {
  /**
   * `http://host:port` or `https://host:port` of a node, or of several that stand in for each other; optionally with a path under which a proxy
   * serves it.
   */
  readonly url: string | readonly string[];
  /** Milliseconds for one call with all of its retries. Default 10000. */
  readonly timeoutMs?: number;
  readonly retry?: RetryOptions;
  /** Connections to a node at most; further calls wait for one. Default 64. */
  readonly connections?: number;
  /**
   * Whether to learn the other nodes and who owns which key, and to go there; false keeps to the given URLs. By default
   * true, but behind a proxy's path.
   */
  readonly ring?: RingOptions | boolean;
  /** Shown to every node, where nodes need one. A function is asked before each request, so that a new token is used at once. */
  readonly token?: Token;
  /** Of https URLs. */
  readonly tls?: TlsOptions;
};

/** What every call takes. */
export type CallOptions = {
  /** Milliseconds for this call with all of its retries. A node is told of it, and gives up before. */
  readonly timeoutMs?: number;
  /** Aborts the call, which then throws the signal's reason. A write may have been executed nevertheless. */
  readonly signal?: AbortSignal;
};

export type Request = Way &
  Repeatable & {
    readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
    /** Percent-encoded; it is sent as it stands. */
    readonly path: string;
    readonly headers?: Record<string, string>;
    readonly body?: Uint8Array | string;
    /** Statuses of a success beside 2xx. */
    readonly statuses?: readonly number[];
    /** The node is asked to wait so long by itself. */
    readonly waitMs?: number;
    /** The node is to be told of the time that is left. */
    readonly takesTime?: boolean;
  };

type Opened = { readonly origin: string; readonly response: IncomingMessage };

/** Requests to whichever node can answer: deadlines, safe retries, errors of one family. */
export class Transport {
  readonly #connections: Connections;
  readonly #router: Router;
  readonly #keeper: RingKeeper | undefined;
  readonly #inFlight = new InFlight();
  readonly #closing = new AbortController();
  readonly #retry: Required<RetryOptions>;
  readonly #token: Token | undefined;
  /** Of a call that names none. */
  readonly timeoutMs: number;

  constructor(options: TransportOptions) {
    const deps = { nowMs: () => performance.now(), random: Math.random };
    this.#router = new Router(typeof options.url === 'string' ? [options.url] : options.url, deps);
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#retry = { ...RETRY_DEFAULTS, ...options.retry };
    this.#connections = new Connections({
      perNode: options.connections ?? CONNECTIONS,
      tls: options.tls,
    });
    this.#token = options.token;
    const ring = options.ring ?? !this.#router.isBehindProxy;
    if (ring === false) return;
    const fetch = () => fetchRing(this, this.#keeper?.ring, this.#ringCall());
    const learn = this.#router.learn.bind(this.#router);
    const prove = () => this.#prove();
    this.#keeper = new RingKeeper(ring === true ? {} : ring, { ...deps, fetch, learn, prove });
  }

  /** Sends the request and reads the whole answer. Throws KvorumError. */
  call(request: Request, options: CallOptions = {}): Promise<Answer> {
    return this.perform(request, options, (node, deadline) => this.send(node, request, deadline));
  }

  /** Has `attempt` made at one node after the other, as far as that does no harm. */
  async perform<T>(
    way: Way & Repeatable & { readonly waitMs?: number },
    options: CallOptions,
    attempt: (node: NodeHandle, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    using _ = this.#inFlight.enter();
    using deadline = new Deadline(options.timeoutMs ?? this.timeoutMs, options.signal);
    return await this.#retried(way, deadline, attempt);
  }

  /** One attempt at one node. */
  async send(node: NodeHandle, request: Request, deadline: Deadline): Promise<Answer> {
    try {
      return checked(await complete(await this.#exchange(node, request, deadline)), request);
    } catch (error) {
      throw toKvorumError({ error, origin: node.address.origin, isRead: request.isRead, deadline });
    }
  }

  /** The chunks of the answer as they are asked for. The deadline covers its start, then each wait for a chunk. */
  async *stream(request: Request, options: CallOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    using _ = this.#inFlight.enter();
    using deadline = new Deadline(options.timeoutMs ?? this.timeoutMs, options.signal);
    const open = (node: NodeHandle, clock: Deadline) => this.#open(node, request, clock);
    const { origin, response } = await this.#retried(request, deadline, open);
    deadline.stopClock();
    deadline.signal.addEventListener('abort', () => response.destroy(new Error('aborted')));
    const { timeoutMs } = deadline;
    try {
      yield* patientChunks(response, timeoutMs);
    } catch (error) {
      throw toKvorumError({ error, origin, isRead: request.isRead, deadline });
    }
  }

  /** Reads the map of the partitions now; resolves with its epoch, undefined where the nodes have none, or none is wanted. */
  async refreshRing(): Promise<number | undefined> {
    await this.#keeper?.refresh();
    return this.#keeper?.ring?.epoch;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#inFlight.close();
    this.#connections.close();
  }

  #retried<T>(
    way: Way & Repeatable & { readonly waitMs?: number },
    deadline: Deadline,
    attempt: (node: NodeHandle, clock: Deadline) => Promise<T>,
  ): Promise<T> {
    if (way.key !== undefined) this.#keeper?.touch();
    let count = 0;
    const limited = async (node: NodeHandle, nodes: number): Promise<T> => {
      using clock = this.#clockOf(way, deadline, nodes, count++);
      return await attempt(node, clock ?? deadline);
    };
    return withRetries(limited, {
      ...way,
      deadline,
      retry: this.#retry,
      candidates: () => this.#router.candidates(way),
      onNodeFailure: () => this.#keeper?.suspect(),
    });
  }

  /** The time of one attempt: where a repetition does no harm and there is another node, one that hangs must leave time. */
  #clockOf(
    { isRead, isIdempotent, waitMs = 0 }: Repeatable & { readonly waitMs?: number },
    deadline: Deadline,
    nodes: number,
    count: number,
  ): Deadline | undefined {
    const isLimited = (isRead || isIdempotent === true) && nodes > 1 && count < LIMITED_ATTEMPTS;
    const spareMs = deadline.remainingMs - waitMs;
    if (!isLimited || this.#retry.attemptsMax === 1 || spareMs <= 1) return undefined;
    return deadline.within(Math.ceil(waitMs + spareMs / (LIMITED_ATTEMPTS + 1 - count)));
  }

  async #open(node: NodeHandle, request: Request, deadline: Deadline): Promise<Opened> {
    const { origin } = node.address;
    try {
      const response = await this.#exchange(node, request, deadline);
      if (response.statusCode !== 200) checked(await complete(response), request);
      return { origin, response };
    } catch (error) {
      throw toKvorumError({ error, origin, isRead: request.isRead, deadline });
    }
  }

  async #exchange(node: NodeHandle, request: Request, deadline: Deadline): Promise<IncomingMessage> {
    const { method, body } = request;
    const token = await currentToken(this.#token, deadline.signal);
    const headers =
      token === undefined ? request.headers : { ...request.headers, authorization: `Bearer ${token}` };
    const path = request.takesTime === true ? withTime(request.path, deadline) : request.path;
    const connectTimeoutMs = Math.min(CONNECT_MS_MAX, Math.ceil(this.timeoutMs * SHARE));
    const { signal } = deadline;
    return await this.#connections.exchange(node.address, {
      method,
      path,
      headers: headers ?? {},
      body,
      signal,
      connectTimeoutMs,
    });
  }

  async #prove(): Promise<void> {
    const clusterId = this.#keeper?.ring?.clusterId;
    const { signal } = this.#closing;
    if (clusterId === undefined || signal.aborted) return;
    const prove = async (node: NodeHandle): Promise<void> => {
      using deadline = new Deadline(PROOF_TIMEOUT_MS, signal);
      if ((await clusterIdAt(this, node, deadline)) === clusterId) node.proven();
    };
    await Promise.allSettled(this.#router.unproven().map(prove));
  }

  #ringCall(): CallOptions {
    return { timeoutMs: Math.min(this.timeoutMs, RING_TIMEOUT_MS), signal: this.#closing.signal };
  }
}

function withTime(path: string, deadline: Deadline): string {
  const leftMs = Math.floor(deadline.remainingMs * NODE_SHARE);
  const timeoutMs = Math.max(1, Math.min(NODE_TIMEOUT_MS_MAX, leftMs));
  return `${path}${path.includes('?') ? '&' : '?'}timeoutMs=${timeoutMs}`;
}

async function complete(response: IncomingMessage): Promise<Answer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk as Uint8Array);
  const body = new Uint8Array(Buffer.concat(chunks));
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

function checked(answer: Answer, request: Request): Answer {
  const { status } = answer;
  if ((status >= 200 && status < 300) || request.statuses?.includes(status) === true) return answer;
  throw toResponseError(answer, request);
}
