import type { Clock, Timer } from '../ports/clock.ts';
import type { Transport } from '../ports/transport.ts';

export type LinkKeeperOptions = { readonly intervalMs: number };
export type LinkKeeperDeps = { readonly clock: Clock; readonly transport: Transport };

/**
 * Judges open links again and again: a link outlives what was known when it was made, and a member that was removed, or
 * whose directory turned out to be a copy, learns so only from a handshake that is refused.
 */
export class LinkKeeper {
  readonly #options: LinkKeeperOptions;
  readonly #deps: LinkKeeperDeps;
  #timer: Timer | undefined;

  constructor(options: LinkKeeperOptions, deps: LinkKeeperDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    const { clock, transport } = this.#deps;
    this.#timer = clock.setTimer(this.#options.intervalMs, () => {
      this.#schedule();
      transport.rejudge();
    });
  }
}
