/** Reasons of our own, where no server answered; all others are the API server's, such as `Conflict` or `NotFound`. */
export type LocalReason = 'Timeout' | 'Unreachable' | 'Idle' | 'BadAnswer';

type KubeErrorOptions = { readonly retryAfterMs?: number | undefined; readonly cause?: unknown };

/** What went wrong with a call to the API server. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** The HTTP status; 0 where there was no answer, and then nobody knows whether the call had its effect. */
  readonly status: number;
  /** The server's reason (`Conflict`, `AlreadyExists`, `Expired`, `Invalid`, ...), or a LocalReason. */
  readonly reason: string;
  /** How long the server asks us to wait before the next try. */
  readonly retryAfterMs: number | undefined;

  constructor(
    status: number,
    reason: string,
    message: string,
    { retryAfterMs, cause }: KubeErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

export function isConflict(error: unknown): boolean {
  return error instanceof KubeError && error.status === 409 && error.reason !== 'AlreadyExists';
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof KubeError && error.reason === 'AlreadyExists';
}

export function isNotFound(error: unknown): boolean {
  return error instanceof KubeError && error.status === 404;
}

/** The version asked for is forgotten, or the pages of a list are: list anew. */
export function isExpired(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 410 || error.reason === 'Expired');
}

/** The server answered with `status` and perhaps a Status object. */
export function errorOfAnswer(
  what: string,
  status: number,
  body: string,
  retryAfter: string | undefined,
  nowMs: number,
): KubeError {
  const parsed = parseStatus(body);
  const message = `${what}: ${status} ${parsed.message ?? body.slice(0, MESSAGE_CHARS_MAX)}`;
  const retryAfterMs = retryAfterOf(retryAfter, nowMs) ?? secondsToMs(parsed.details?.retryAfterSeconds);
  return new KubeError(status, parsed.reason ?? `Status${status}`, message, { retryAfterMs });
}

/** A watch said ERROR instead of an event. */
export function errorOfStatus(what: string, object: unknown): KubeError {
  const { code = 500, reason, message, details } = (object ?? {}) as Status;
  return new KubeError(code, reason ?? `Status${code}`, `${what}: ${code} ${message ?? 'no message'}`, {
    retryAfterMs: secondsToMs(details?.retryAfterSeconds),
  });
}

type Status = {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
};

const MESSAGE_CHARS_MAX = 300;

function parseStatus(body: string): Status {
  try {
    const status: unknown = JSON.parse(body);
    return typeof status === 'object' && status !== null ? status : {};
  } catch {
    // Proxies before the API server answer with pages of their own.
    return {};
  }
}

/** The header is a number of seconds or a date. */
function retryAfterOf(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

function secondsToMs(seconds: number | undefined): number | undefined {
  return seconds === undefined || seconds === 0 ? undefined : seconds * 1000;
}
