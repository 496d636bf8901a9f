import type { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import type { Clock } from '../../store/ports/clock.ts';
import type { KubeConnection } from './kube-connection.ts';
import { errorOfAnswer, KubeError } from './kube-error.ts';

export type KubeVerb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'apply'
  | 'delete'
  | 'discover';

export type KubeRequest = {
  readonly verb: KubeVerb;
  /** What it is about, for metrics: a plural such as `pods`. */
  readonly resource: string;
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  readonly contentType?: string;
};

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Told of each call when it is over; status 0 where there was no answer. */
export type RequestObserver = (call: {
  readonly verb: KubeVerb;
  readonly resource: string;
  readonly status: number;
  readonly seconds: number;
}) => void;

export type KubeRequestOptions = { readonly timeoutMs: number; readonly userAgent: string };
export type KubeRequestDeps = {
  readonly connection: KubeConnection;
  readonly clock: Clock;
  readonly observe?: RequestObserver;
};

/** How calls get to the API server; a simulation has one without a network. */
export type KubeTransport = {
  /** The answer's JSON. Throws KubeError, or the signal's reason where that ended it. */
  json(call: KubeRequest, signal?: AbortSignal): Promise<unknown>;
  /** The answer's body, which may go on for ever; throws as `json` does until it begins. */
  stream(call: KubeRequest, signal: AbortSignal): Promise<Readable>;
};

type Answer = Dispatcher.ResponseData;

/** Sends requests, each with its deadline. Nothing is repeated but what the server refused to believe (401). */
export class KubeRequests implements KubeTransport {
  readonly #options: KubeRequestOptions;
  readonly #deps: KubeRequestDeps;

  constructor(options: KubeRequestOptions, deps: KubeRequestDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The answer's JSON. Throws KubeError, or the signal's reason where that ended it. */
  json(call: KubeRequest, signal?: AbortSignal): Promise<unknown> {
    return this.#withDeadline(call, signal, async (both) => {
      const { body } = await this.#observed(call, both);
      const text = await body.text();
      try {
        return JSON.parse(text) as unknown;
      } catch (cause) {
        const what = `${describe(call)}: the answer is not JSON: ${text.slice(0, 100)}`;
        throw new KubeError(0, 'BadAnswer', what, { cause });
      }
    });
  }

  /** The answer's body, which may go on for ever: the deadline and `signal` are for its beginning alone. */
  stream(call: KubeRequest, signal: AbortSignal): Promise<Readable> {
    return this.#withDeadline(call, signal, async (both) => (await this.#observed(call, both)).body);
  }

  async #withDeadline<T>(
    call: KubeRequest,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const { timeoutMs } = this.#options;
    const both = new AbortController();
    let isLate = false;
    const timer = this.#deps.clock.setTimer(timeoutMs, () => {
      isLate = true;
      both.abort();
    });
    // By hand: a signal that lives as long as the process would keep every AbortSignal.any of it in its books.
    const abort = (): void => both.abort();
    signal?.addEventListener('abort', abort);
    try {
      return await work(both.signal);
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof KubeError && !isLate) throw cause;
      const why = isLate ? `no answer within ${timeoutMs} ms` : reasonOf(cause);
      throw new KubeError(0, isLate ? 'Timeout' : 'Unreachable', `${describe(call)}: ${why}`, { cause });
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', abort);
    }
  }

  async #observed(call: KubeRequest, signal: AbortSignal): Promise<Answer> {
    const { clock, observe } = this.#deps;
    const startMs = clock.monotonicMs();
    let status = 0;
    try {
      const answer = await this.#send(call, signal);
      status = answer.statusCode;
      if (status < 400) return answer;
      throw await this.#refusal(call, answer);
    } finally {
      const { verb, resource } = call;
      observe?.({ verb, resource, status, seconds: (clock.monotonicMs() - startMs) / 1000 });
    }
  }

  /** A token may have been replaced since it was read: a refusal is believed at the second time. */
  async #send(call: KubeRequest, signal: AbortSignal): Promise<Answer> {
    const answer = await this.#sendOnce(call, signal);
    if (answer.statusCode !== 401) return answer;
    await answer.body.dump();
    this.#deps.connection.renew();
    return await this.#sendOnce(call, signal);
  }

  async #sendOnce(call: KubeRequest, signal: AbortSignal): Promise<Answer> {
    const { connection } = this.#deps;
    const { headers, dispatcher } = await unlessAborted(connection.access(), signal);
    const { method, path, query, body, contentType = 'application/json' } = call;
    return await request(`${connection.serverUrl}${path}${queryText(query)}`, {
      ...{ method, dispatcher, signal },
      headers: {
        ...{ accept: 'application/json', 'user-agent': this.#options.userAgent },
        ...(body !== undefined && { 'content-type': contentType }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  async #refusal(call: KubeRequest, { statusCode, headers, body }: Answer): Promise<KubeError> {
    const retryAfter = headers['retry-after'];
    const header = typeof retryAfter === 'string' ? retryAfter : undefined;
    return errorOfAnswer(describe(call), statusCode, await body.text(), header, this.#deps.clock.nowMs());
  }
}

/** A plugin that signs us in may hang: the call does not wait for it beyond its own end. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function queryText(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

function describe({ method, path }: KubeRequest): string {
  return `${method} ${path}`;
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { code } = cause as { readonly code?: unknown };
  return typeof code === 'string' ? `${cause.message} (${code})` : cause.message;
}
