import { backoffMs, type RetryOptions } from './backoff.ts';
import type { Deadline } from './deadline.ts';
import { KvorumConnectionError, KvorumError, KvorumResponseError, KvorumTimeoutError } from './errors.ts';
import { isCertainlyUnwritten, type Repeatable } from './failure.ts';
import type { NodeHandle } from './node-handle.ts';

/** Refusals that are about the node that was asked: another one may well take the request at once. */
const NODE_CODES: ReadonlySet<string> = new Set([
  ...['SHUTTING_DOWN', 'MEMBER_EXCLUDED', 'CLUSTER_WAITING'],
  ...['CLOCK_SKEW', 'REPLICA_OUT', 'STORAGE_FAILED'],
]);

/** One call: what of it counts here, and which nodes may take it, the best one first, as far as is known by now. */
export type RetriedCall = Repeatable & {
  readonly retry: Required<RetryOptions>;
  readonly deadline: Deadline;
  candidates(): readonly NodeHandle[];
  /** Called where the node itself, not the request, is what failed. */
  onNodeFailure(): void;
};

/**
 * A read may always be repeated. A write only where it is known that it was not executed: a namespace is a register,
 * and a write executed late gets a later version, so that
 * put(a) -> lost answer, put(b) of another client, put(a) again would undo b.
 * Unless the caller says that it is idempotent (etcd-io/etcd#18424: a client that does this unasked loses updates).
 */
export function mayRepeat(error: unknown, { isRead, isIdempotent }: Repeatable): boolean {
  const isHarmless = isRead || isIdempotent === true;
  if (error instanceof KvorumConnectionError || error instanceof KvorumTimeoutError)
    return isHarmless || error.outcome === 'unwritten';
  if (!(error instanceof KvorumResponseError)) return false;
  if (error.code === 'MEMBER_EXCLUDED') return true;
  return error.retryable && (isHarmless || isCertainlyUnwritten(error));
}

/**
 * Runs `attempt` at one node after the other until it succeeds, or may not, need not or cannot be repeated in time; then
 * throws its last error, or one that left the outcome unknown. A node that is out of reach is left for an untried one
 * without a wait.
 */
export async function withRetries<T>(
  attempt: (node: NodeHandle, nodes: number) => Promise<T>,
  call: RetriedCall,
): Promise<T> {
  const tried = new Set<NodeHandle>();
  let again: NodeHandle | undefined;
  let unknown: unknown;
  for (let count = 1; ; count++) {
    const nodes = call.candidates();
    const node = again ?? nextOf(nodes, tried);
    tried.add(node);
    try {
      const result = await attempt(node, nodes.length);
      node.succeeded();
      return result;
    } catch (error) {
      const isNodeFailure = noteFailure(node, error, call);
      if (isUnknown(error)) unknown ??= error;
      const { attemptsMax } = call.retry;
      const isLast = count >= (attemptsMax === 1 ? 1 : Math.max(attemptsMax, nodes.length));
      if (isLast || call.deadline.isOver || !mayRepeat(error, call)) throw unknown ?? error;
      // The node remembers idempotency keys: it is the one that can tell whether the write was done.
      again = isUnknown(error) && again === undefined ? node : undefined;
      const other = call.candidates().find((each) => !tried.has(each));
      if (other === undefined && isExcluded(error)) throw error;
      if (again === undefined && isNodeFailure && isWell(other)) continue;
      await waitOrThrow(error, unknown ?? error, count, call);
    }
  }
}

/** The best one that was not tried; once all were, they are tried again. */
function nextOf(nodes: readonly NodeHandle[], tried: Set<NodeHandle>): NodeHandle {
  const untried = nodes.find((node) => !tried.has(node));
  if (untried !== undefined) return untried;
  tried.clear();
  return nodes[0]!;
}

function noteFailure(node: NodeHandle, error: unknown, call: RetriedCall): boolean {
  const isRefusal = error instanceof KvorumResponseError;
  const isOut = error instanceof KvorumConnectionError || error instanceof KvorumTimeoutError;
  if (!isOut && !(isRefusal && NODE_CODES.has(error.code))) return false;
  if (isOut) node.lost();
  node.failed(performance.now(), isRefusal ? error.retryAfterMs : undefined);
  call.onNodeFailure();
  return true;
}

function isUnknown(error: unknown): boolean {
  return error instanceof KvorumError && error.outcome === 'unknown';
}

function isExcluded(error: unknown): boolean {
  return error instanceof KvorumResponseError && error.code === 'MEMBER_EXCLUDED';
}

function isWell(node: NodeHandle | undefined): boolean {
  return node !== undefined && !node.isAvoided(performance.now());
}

/** Waits before the attempt behind the `count`-th; throws `last` where the time does not allow it. */
async function waitOrThrow(error: unknown, last: unknown, count: number, call: RetriedCall): Promise<void> {
  const { retry, deadline } = call;
  const askedMs = error instanceof KvorumResponseError ? error.retryAfterMs : undefined;
  const waitMs = backoffMs(count, askedMs, retry, Math.random);
  if (waitMs >= deadline.remainingMs) throw last;
  try {
    await deadline.wait(waitMs);
  } catch {
    deadline.throwIfAbortedByCaller();
    throw last;
  }
}
