import { retryAfterMs } from './backoff.ts';
import { ExchangeError } from './connections.ts';
import type { Deadline } from './deadline.ts';
import {
  KvorumConnectionError,
  KvorumError,
  KvorumResponseError,
  KvorumTimeoutError,
  type Outcome,
  type Problem,
} from './errors.ts';

/** A complete answer. Header names are in lower case. */
export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
};

/** What of a request decides whether it may be repeated. */
export type Repeatable = { readonly isRead: boolean; readonly isIdempotent?: boolean };

/** Refusals that say nothing of an outcome, after which it is known all the same that nothing was changed. */
const NOT_EXECUTED_CODES: ReadonlySet<string> = new Set([
  ...['OVERLOADED', 'SHUTTING_DOWN', 'MEMBER_EXCLUDED'],
  ...['NO_LEADER', 'CLUSTER_WAITING', 'CLUSTER_FORMING'],
]);
const TOO_MANY_REQUESTS = 429;
const PASSING = new Set([TOO_MANY_REQUESTS, 502, 503, 504]);

type FailedAttempt = {
  readonly error: unknown;
  readonly origin: string;
  readonly isRead: boolean;
  readonly deadline: Deadline;
};

/** The error to throw for what went wrong on the way. Throws the caller's own reason where the caller aborted. */
export function toKvorumError({ error, origin, isRead, deadline }: FailedAttempt): Error {
  if (error instanceof KvorumError || error instanceof TypeError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const executed = error instanceof ExchangeError ? error.executed : 'unknown';
  const { overMs } = deadline;
  if (overMs !== undefined) return new KvorumTimeoutError({ timeoutMs: overMs, executed, isRead, cause });
  deadline.throwIfAbortedByCaller();
  const reason = error instanceof ExchangeError ? error.cause : cause;
  return new KvorumConnectionError({ origin, executed, isRead, cause: reason });
}

/** The error for an answer that is none of a call's successes. */
export function toResponseError(answer: Answer, request: Repeatable): KvorumResponseError {
  const header = answer.headers['retry-after'];
  const waitMs = retryAfterMs(typeof header === 'string' ? header : undefined, Date.now());
  const isHarmless = request.isRead || request.isIdempotent === true;
  return problemError(problemOf(answer) ?? nameless(answer.status, isHarmless), waitMs, request);
}

export function problemError(
  problem: Problem,
  waitMs: number | undefined,
  { isRead }: Repeatable,
): KvorumResponseError {
  return new KvorumResponseError(problem, waitMs, isRead ? undefined : outcomeOf(problem));
}

/** What the server says; else by the code: a refused request was not executed, of a failed one nothing is known. */
function outcomeOf(problem: Problem): Outcome {
  if (problem.outcome === 'unwritten' || problem.outcome === 'unknown') return problem.outcome;
  return problem.status < 500 || NOT_EXECUTED_CODES.has(problem.code) ? 'unwritten' : 'unknown';
}

/** Whether it is the server, or its code, that says so; a status alone is not trusted, but for "too many requests". */
export function isCertainlyUnwritten({ problem, outcome }: KvorumResponseError): boolean {
  const isTold = problem.outcome === 'unwritten';
  const isRefused = NOT_EXECUTED_CODES.has(problem.code) || problem.status === TOO_MANY_REQUESTS;
  return outcome === 'unwritten' && (isTold || isRefused);
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

function nameless(status: number, isHarmless: boolean): Problem {
  const detail = `the server answered ${status} without a problem document`;
  const retryable = status === TOO_MANY_REQUESTS || (isHarmless && PASSING.has(status));
  return { status, code: `HTTP_${status}`, detail, retryable };
}
