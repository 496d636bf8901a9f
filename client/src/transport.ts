import { type Dispatcher, Pool } from 'undici';
import { RETRY_DEFAULTS, type RetryOptions } from './backoff.ts';
import { Deadline } from './deadline.ts';
import { KvorumError } from './errors.ts';
import { type Answer, toKvorumError, toResponseError } from './failure.ts';
import { withRetries } from './retry.ts';

const TIMEOUT_MS = 10_000;
const CONNECTIONS = 64;
/** A node that does not answer a connect is given up after this share of the deadline, in favour of another try. */
const CONNECT_SHARE = 1 / 3;

export type TransportOptions = {
  /** `http://host:port`, optionally with a path under which a proxy serves the node. */
  readonly url: string;
  /** Milliseconds for one call with all of its retries. Default 10000. */
  readonly timeoutMs?: number;
  readonly retry?: RetryOptions;
  /** Connections at most; further calls wait for one. Default 64. */
  readonly connections?: number;
};

/** What every call takes. */
export type CallOptions = {
  /** Aborts the call, which then throws the signal's reason. A write may have been executed nevertheless. */
  readonly signal?: AbortSignal;
  /** Milliseconds for this call with all of its retries. */
  readonly timeoutMs?: number;
};

export type Request = {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Percent-encoded; it is sent as it stands. */
  readonly path: string;
  /** Whether repeating it can do no harm. */
  readonly isRead: boolean;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array | string;
  /** Statuses of a success beside 2xx. */
  readonly statuses?: readonly number[];
};

/** Requests over a pool of connections: deadlines, safe retries, errors of one family. */
export class Transport {
  readonly #pool: Pool;
  readonly #origin: string;
  readonly #pathPrefix: string;
  /** Of a call that names none. */
  readonly timeoutMs: number;
  readonly #retry: Required<RetryOptions>;

  constructor(options: TransportOptions) {
    const url = new URL(options.url);
    this.#origin = url.origin;
    this.#pathPrefix = url.pathname.replace(/\/+$/, '');
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#retry = { ...RETRY_DEFAULTS, ...options.retry };
    this.#pool = new Pool(url.origin, {
      connections: options.connections ?? CONNECTIONS,
      connect: { timeout: Math.ceil(this.timeoutMs * CONNECT_SHARE) },
      headersTimeout: 0, // the call's deadline covers both
      bodyTimeout: 0,
    });
  }

  /** Sends the request and reads the whole answer. Throws KvorumError. */
  async call(request: Request, options: CallOptions = {}): Promise<Answer> {
    using deadline = new Deadline(options.timeoutMs ?? this.timeoutMs, options.signal);
    return await withRetries(() => this.#attempt(request, deadline), request.isRead, this.#retry, deadline);
  }

  /** The chunks of the answer as they are asked for. The deadline covers its start, then each wait for a chunk. */
  async *stream(request: Request, options: CallOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    using deadline = new Deadline(options.timeoutMs ?? this.timeoutMs, options.signal);
    const open = () => this.#open(request, deadline);
    const body = await withRetries(open, request.isRead, this.#retry, deadline);
    deadline.stopClock();
    try {
      yield* body;
    } catch (error) {
      throw this.#translate(error, request, deadline);
    }
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #attempt(request: Request, deadline: Deadline): Promise<Answer> {
    try {
      const response = await this.#send(request, deadline, 0);
      return checked(await complete(response), request);
    } catch (error) {
      throw this.#translate(error, request, deadline);
    }
  }

  async #open(request: Request, deadline: Deadline): Promise<Dispatcher.ResponseData['body']> {
    try {
      const response = await this.#send(request, deadline, deadline.timeoutMs);
      if (response.statusCode !== 200) checked(await complete(response), request);
      return response.body;
    } catch (error) {
      throw this.#translate(error, request, deadline);
    }
  }

  #send(request: Request, deadline: Deadline, bodyTimeoutMs: number): Promise<Dispatcher.ResponseData> {
    if (this.#pool.closed) throw new ClientClosedError();
    const { method, path, headers = {}, body = null } = request;
    return this.#pool.request({
      method,
      path: this.#pathPrefix + path,
      headers,
      body,
      signal: deadline.signal,
      bodyTimeout: bodyTimeoutMs,
    });
  }

  #translate(error: unknown, request: Request, deadline: Deadline): unknown {
    if (error instanceof KvorumError || error instanceof ClientClosedError) return error;
    return toKvorumError({ error, origin: this.#origin, isRead: request.isRead, deadline });
  }
}

/** A call on a client after its `close()`: a bug of the caller, no failure of the node. */
class ClientClosedError extends Error {
  override readonly name = 'ClientClosedError';
  constructor() {
    super('the client is closed');
  }
}

async function complete(response: Dispatcher.ResponseData): Promise<Answer> {
  const body = new Uint8Array(await response.body.arrayBuffer());
  return { status: response.statusCode, headers: response.headers, body };
}

function checked(answer: Answer, request: Request): Answer {
  const { status } = answer;
  if ((status >= 200 && status < 300) || request.statuses?.includes(status) === true) return answer;
  throw toResponseError(answer, request.isRead);
}
