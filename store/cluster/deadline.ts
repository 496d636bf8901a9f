import type { Clock } from '../ports/clock.ts';

/** What `work` resolves with, or undefined once `signal` is aborted. The work itself goes on. */
export function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => resolve(undefined);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

/** A signal that is aborted after `timeoutMs` on `clock`, or with `parent`; disposing frees its timer. */
export function deadline(
  clock: Clock,
  timeoutMs: number,
  parent?: AbortSignal,
): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = clock.setTimer(timeoutMs, abort);
  if (parent?.aborted === true) abort();
  parent?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      timer.cancel();
      parent?.removeEventListener('abort', abort);
    },
  };
}
