/** Those who wait for something to change, each until its signal. */
export class Waiters {
  readonly #waiting = new Set<() => void>();

  /** True at the next `wake`, false once `signal` is aborted. */
  wait(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (isWoken: boolean): void => {
        this.#waiting.delete(onWake);
        signal.removeEventListener('abort', onAbort);
        resolve(isWoken);
      };
      const onWake = (): void => end(true);
      const onAbort = (): void => end(false);
      this.#waiting.add(onWake);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  wake(): void {
    for (const onWake of [...this.#waiting]) onWake();
  }
}
