import type { Clock } from '../ports/clock.ts';

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
