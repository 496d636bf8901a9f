import { ClusterError } from '../../cluster/cluster-admin.ts';
import { KvError, type ReplicaAnswer } from '../../storage/errors.ts';
import { type ErrorCode, errorEntry, isErrorCode } from './error-table.ts';

/** A refusal that this interface makes itself; it is answered as the problem document of its code. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: ErrorCode;
  readonly data: ProblemData;
  /** Name and value in turn. */
  readonly headers: readonly string[];

  constructor(code: ErrorCode, detail: string, data: ProblemData = {}, headers: readonly string[] = []) {
    super(detail);
    this.code = code;
    this.data = data;
    this.headers = headers;
  }
}

/** Whoever asked has gone: there is nobody to answer, and nothing to log. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

export type ProblemData = Readonly<
  Record<string, string | number | readonly string[] | readonly ReplicaAnswer[]>
>;

/** Any error as a problem; what is not foreseen becomes INTERNAL and tells nothing of its inside. */
export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof KvError && isErrorCode(error.code)) {
    return new HttpProblem(error.code, error.message, error.data);
  }
  if (error instanceof ClusterError) return new HttpProblem(error.code, error.message);
  return new HttpProblem('INTERNAL', 'The node failed to answer this request; its log says why.');
}

/** `isIdempotent`: the request is a read, or carries an idempotency key. */
export function isRetryable(problem: HttpProblem, isIdempotent: boolean): boolean {
  const { retryable } = errorEntry(problem.code);
  const { outcome } = problem.data;
  if (outcome === 'unknown') return isIdempotent && retryable !== false;
  return retryable === 'if unwritten' ? isIdempotent || outcome === 'unwritten' : retryable;
}

/** The fields of RFC 9457, and ours. Data comes first so that it never hides a field of the document. */
export function problemDocument(problem: HttpProblem, isIdempotent = false): Record<string, unknown> {
  const { status, title, action } = errorEntry(problem.code);
  return {
    ...problem.data,
    type: `https://kvorum.dev/errors#${problem.code.toLowerCase()}`,
    title,
    status,
    code: problem.code,
    detail: problem.message,
    retryable: isRetryable(problem, isIdempotent),
    action,
  };
}
