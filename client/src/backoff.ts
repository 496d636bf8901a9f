/** How often and how patiently a call is repeated where that is safe. */
export type RetryOptions = {
  /** Attempts of one call, the first included; 1 turns retries off. Default 5. */
  readonly attemptsMax?: number;
  /** Upper bound of the first wait, in milliseconds; it doubles with every attempt. Default 50. */
  readonly baseMs?: number;
  /** Upper bound of every wait, in milliseconds, where the server asked for none. Default 2000. */
  readonly capMs?: number;
};

export const RETRY_DEFAULTS: Required<RetryOptions> = { attemptsMax: 5, baseMs: 50, capMs: 2000 };

/**
 * Milliseconds to wait after the failed attempt number `attempt` (from 1): exponential with full jitter (AWS
 * Architecture Blog, "Exponential Backoff and Jitter"), on top of what the server asked for.
 */
export function backoffMs(
  attempt: number,
  retryAfterMs: number | undefined,
  retry: Required<RetryOptions>,
  random: () => number,
): number {
  const boundMs = Math.min(retry.capMs, retry.baseMs * 2 ** (attempt - 1));
  return (retryAfterMs ?? 0) + random() * boundMs;
}

/** The header Retry-After in milliseconds: seconds, or a date. Undefined where it is neither. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
