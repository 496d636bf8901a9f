import { backoffMs, type RetryOptions } from './backoff.ts';
import type { Deadline } from './deadline.ts';
import { KvorumConnectionError, KvorumResponseError } from './errors.ts';

/** Refusals after which it is known that nothing was changed. */
const NOT_EXECUTED_CODES: ReadonlySet<string> = new Set([
  ...['OVERLOADED', 'SHUTTING_DOWN'],
  ...['NO_LEADER', 'CLUSTER_WAITING', 'CLUSTER_FORMING'],
]);

/**
 * A read may always be repeated. A write only where it is known that it was not executed: a namespace is a register,
 * and a write executed late gets a later version, so that
 * put(a) -> lost answer, put(b) of another client, put(a) again would undo b.
 */
export function mayRepeat(error: unknown, isRead: boolean): boolean {
  if (error instanceof KvorumConnectionError) return isRead || error.executed === 'no';
  if (error instanceof KvorumResponseError) {
    return error.retryable && (isRead || NOT_EXECUTED_CODES.has(error.code));
  }
  return false;
}

/** Runs `attempt` until it succeeds or may not, need not or cannot be repeated in time; then throws its last error. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  isRead: boolean,
  retry: Required<RetryOptions>,
  deadline: Deadline,
): Promise<T> {
  for (let count = 1; ; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (count >= retry.attemptsMax || !mayRepeat(error, isRead)) throw error;
      await waitOrThrow(error, count, retry, deadline);
    }
  }
}

async function waitOrThrow(
  error: unknown,
  count: number,
  retry: Required<RetryOptions>,
  deadline: Deadline,
): Promise<void> {
  const askedMs = error instanceof KvorumResponseError ? error.retryAfterMs : undefined;
  const waitMs = backoffMs(count, askedMs, retry, Math.random);
  if (waitMs >= deadline.remainingMs) throw error;
  try {
    await deadline.wait(waitMs);
  } catch {
    deadline.throwIfAbortedByCaller();
    throw error;
  }
}
