/**
 * What became of a write that failed. `unwritten` is certain; `unknown`: it may have been, or may still be, executed, and
 * a repeated one may overwrite a newer write of somebody else.
 */
export type Outcome = 'unwritten' | 'unknown';

/**
 * Everything the client throws for a call that could not be answered. Wrong arguments are `TypeError` or
 * `RangeError`; an aborted `signal` throws its own reason.
 */
export abstract class KvorumError extends Error {
  /** Stable and upper case; the server's codes are in docs/errors.md. */
  abstract readonly code: string;
  /** Whether the same call may succeed later; for a write it also takes the `outcome` to decide. */
  abstract readonly retryable: boolean;
  /** Of a write; undefined for a read. */
  readonly outcome: Outcome | undefined = undefined;
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined = undefined;
  /** What the server told of this code beside the text, e.g. `answers` of the replicas. */
  readonly data: Readonly<Record<string, unknown>> = {};
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

/** The server answered, and the answer is a failure. `retryable` is the server's word. */
export class KvorumResponseError extends KvorumError {
  override readonly name = 'KvorumResponseError';
  readonly code: string;
  readonly retryable: boolean;
  override readonly status: number;
  override readonly outcome: Outcome | undefined;
  override readonly data: Readonly<Record<string, unknown>>;
  readonly problem: Problem;
  readonly action: string | undefined;
  /** How long the server asked to wait, in milliseconds (the header Retry-After). */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs: number | undefined, outcome?: Outcome) {
    super(`${problem.code}: ${problem.detail}`);
    this.code = problem.code;
    this.retryable = problem.retryable;
    this.status = problem.status;
    this.outcome = outcome;
    this.data = dataOf(problem);
    this.problem = problem;
    this.action = problem.action;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The deadline passed. For a write that was sent the outcome is unknown. */
export class KvorumTimeoutError extends KvorumError {
  override readonly name = 'KvorumTimeoutError';
  readonly code = 'TIMEOUT';
  readonly retryable: boolean;
  override readonly outcome: Outcome | undefined;

  constructor(options: { timeoutMs: number; executed: Executed; isRead: boolean; cause?: unknown }) {
    const { timeoutMs, cause } = options;
    const outcome = outcomeOf(options);
    const advice =
      outcome === 'unknown' ? '; the outcome of the write is unknown, read before repeating it' : '';
    super(`no answer within ${timeoutMs} ms${advice}`, { cause });
    this.outcome = outcome;
    this.retryable = outcome !== 'unknown';
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
  override readonly outcome: Outcome | undefined;

  constructor(options: { origin: string; executed: Executed; isRead: boolean; cause: Error }) {
    const { origin, executed, cause } = options;
    const outcome = outcomeOf(options);
    const advice = outcome === 'unknown' ? '; the outcome of the write is unknown' : '';
    super(`connection to ${origin} failed: ${reasonOf(cause)}${advice}`, { cause });
    this.executed = executed;
    this.outcome = outcome;
    this.retryable = outcome !== 'unknown';
  }
}

/** The answer is not what the interface promises: another program on this port, or another version. */
export class KvorumProtocolError extends KvorumError {
  override readonly name = 'KvorumProtocolError';
  readonly code = 'PROTOCOL';
  readonly retryable = false;
}

function outcomeOf({ isRead, executed }: { isRead: boolean; executed: Executed }): Outcome | undefined {
  if (isRead) return undefined;
  return executed === 'no' ? 'unwritten' : 'unknown';
}

const DOCUMENT_MEMBERS: ReadonlySet<string> = new Set([
  ...['type', 'title', 'status', 'code', 'detail', 'retryable', 'action'],
]);

function dataOf(problem: Problem): Record<string, unknown> {
  return Object.fromEntries(Object.entries(problem).filter(([name]) => !DOCUMENT_MEMBERS.has(name)));
}

/** An AggregateError (one address family after the other) has an empty message of its own. */
function reasonOf(cause: Error): string {
  if (cause.message !== '') return cause.message;
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : undefined;
  return first instanceof Error ? first.message : cause.name;
}
