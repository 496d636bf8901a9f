import { retryAfterMs } from './backoff.ts';
import type { Deadline } from './deadline.ts';
import {
  type Executed,
  KvorumConnectionError,
  KvorumResponseError,
  KvorumTimeoutError,
  type Problem,
} from './errors.ts';

/** A complete answer. Header names are in lower case. */
export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
};

type FailedCall = {
  readonly error: unknown;
  readonly origin: string;
  readonly isRead: boolean;
  readonly deadline: Deadline;
};

/** The error to throw for what undici threw. Throws the caller's own reason where the caller aborted. */
export function toKvorumError({ error, origin, isRead, deadline }: FailedCall): Error {
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = codeOf(cause);
  if (deadline.isOver || code === 'UND_ERR_BODY_TIMEOUT') {
    return new KvorumTimeoutError({ timeoutMs: deadline.timeoutMs, isRead, cause });
  }
  deadline.throwIfAbortedByCaller();
  if (code === 'UND_ERR_INVALID_ARG') return new TypeError(cause.message, { cause });
  return new KvorumConnectionError({ origin, executed: executedOf(cause), isRead, cause });
}

/** A request that found no connection was never sent; of every other one nothing is known. */
function executedOf(cause: Error): Executed {
  const errors: unknown[] =
    cause instanceof AggregateError && cause.errors.length > 0 ? cause.errors : [cause];
  return errors.every(isConnectError) ? 'no' : 'unknown';
}

function isConnectError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (codeOf(error) === 'UND_ERR_CONNECT_TIMEOUT') return true;
  return 'syscall' in error && (error.syscall === 'connect' || error.syscall === 'getaddrinfo');
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined;
}

/** The error for an answer that is none of a call's successes. */
export function toResponseError(answer: Answer, isRead: boolean): KvorumResponseError {
  const header = answer.headers['retry-after'];
  const waitMs = retryAfterMs(typeof header === 'string' ? header : undefined, Date.now());
  return new KvorumResponseError(problemOf(answer) ?? nameless(answer.status, isRead), waitMs);
}

/** The problem document in the body, if there is one: an answer to HEAD has none, nor has a proxy's. */
export function problemOf(answer: Answer): Problem | undefined {
  try {
    const json = JSON.parse(Buffer.from(answer.body).toString());
    if (typeof json?.code !== 'string') return undefined;
    return {
      ...json,
      status: answer.status,
      detail: String(json.detail ?? json.title ?? ''),
      retryable: json.retryable === true,
    };
  } catch {
    return undefined;
  }
}

function nameless(status: number, isRead: boolean): Problem {
  const isPassing = status === 502 || status === 503 || status === 504;
  const detail = `the server answered ${status} without a problem document`;
  return { status, code: `HTTP_${status}`, detail, retryable: isRead && isPassing };
}
