/**
 * Everything the client throws for a call that could not be answered. Wrong arguments are `TypeError` or
 * `RangeError`; an aborted `signal` throws its own reason.
 */
export abstract class KvorumError extends Error {
  /** Stable and upper case; the server's codes are in docs/http-api.md. */
  abstract readonly code: string;
  /** Whether the same call may be repeated without harm: it is a read, or a write that was not executed. */
  abstract readonly retryable: boolean;
}

/** A problem document (RFC 9457) with the members Kvorum adds. Data of the code stands beside them. */
export type Problem = {
  readonly type?: string;
  readonly title?: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
  /** What to do about it, in a sentence. */
  readonly action?: string;
  readonly [member: string]: unknown;
};

/** The server answered, and the answer is a failure. */
export class KvorumResponseError extends KvorumError {
  override readonly name = 'KvorumResponseError';
  readonly code: string;
  readonly retryable: boolean;
  readonly status: number;
  readonly problem: Problem;
  readonly action: string | undefined;
  /** How long the server asked to wait, in milliseconds (the header Retry-After). */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs: number | undefined) {
    super(`${problem.code}: ${problem.detail}`);
    this.code = problem.code;
    this.retryable = problem.retryable;
    this.status = problem.status;
    this.problem = problem;
    this.action = problem.action;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The deadline passed. For a write the outcome is unknown: it may have been, or may still be, executed. */
export class KvorumTimeoutError extends KvorumError {
  override readonly name = 'KvorumTimeoutError';
  readonly code = 'TIMEOUT';
  readonly retryable: boolean;

  constructor(options: { timeoutMs: number; isRead: boolean; cause?: unknown }) {
    const outcome = options.isRead ? '' : '; the outcome of the write is unknown, read before repeating it';
    super(`no answer within ${options.timeoutMs} ms${outcome}`, { cause: options.cause });
    this.retryable = options.isRead;
  }
}

/**
 * `no`: the request was never sent. `unknown`: it may have been sent, and may have been, or may still be, executed.
 */
export type Executed = 'no' | 'unknown';

/** No connection, or one that broke before the answer was complete. `cause` is the error of the socket. */
export class KvorumConnectionError extends KvorumError {
  override readonly name = 'KvorumConnectionError';
  readonly code = 'CONNECTION';
  readonly retryable: boolean;
  readonly executed: Executed;

  constructor(options: { origin: string; executed: Executed; isRead: boolean; cause: Error }) {
    const outcome =
      options.isRead || options.executed === 'no' ? '' : '; the outcome of the write is unknown';
    super(`connection to ${options.origin} failed: ${reasonOf(options.cause)}${outcome}`, {
      cause: options.cause,
    });
    this.executed = options.executed;
    this.retryable = options.isRead || options.executed === 'no';
  }
}

/** The answer is not what the interface promises: another program on this port, or another version. */
export class KvorumProtocolError extends KvorumError {
  override readonly name = 'KvorumProtocolError';
  readonly code = 'PROTOCOL';
  readonly retryable = false;
}

/** An AggregateError (one address family after the other) has an empty message of its own. */
function reasonOf(cause: Error): string {
  if (cause.message !== '') return cause.message;
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : undefined;
  return first instanceof Error ? first.message : cause.name;
}
