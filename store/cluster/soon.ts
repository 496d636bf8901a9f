import type { Clock, Timer } from '../ports/clock.ts';

/** Does something a little after it was asked for, once for all who ask until then. */
export class Soon {
  readonly #afterMs: () => number;
  readonly #deps: { readonly clock: Clock; act(): void };
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: { readonly afterMs: () => number }, deps: { readonly clock: Clock; act(): void }) {
    this.#afterMs = options.afterMs;
    this.#deps = deps;
  }

  ask(): void {
    if (this.#isStopped) return;
    this.#timer ??= this.#deps.clock.setTimer(this.#afterMs(), () => {
      this.#timer = undefined;
      this.#deps.act();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }
}
