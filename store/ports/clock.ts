/** Time is a port: the real clock lives in io/, a clock that a test sets lives in sim/. */
export type Clock = {
  /** Wall time, milliseconds since 1970. It may jump either way. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start; it never goes back. */
  monotonicMs(): number;
  /** Calls `callback` once, about `delayMs` from now. Timers do not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer;
};

export type Timer = { cancel(): void };

/** Resolves after `delayMs`, or at once when `signal` is aborted. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.setTimer(delayMs, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
