/** What gathers things in a turn and sends them together at its end. */
export type Gatherer = {
  /** Whether it is among those that will be flushed; only `Turn` writes it. */
  isGathering: boolean;
  flush(): void;
};

/** Runs `run` soon: at the end of this turn of the event loop, or of the microtask. */
export type Defer = (run: () => void) => void;

/** Flushes everything that gathered something, once. */
export class Turn {
  readonly #defer: Defer;
  #gatherers: Gatherer[] = [];

  constructor(deps: { readonly defer: Defer }) {
    this.#defer = deps.defer;
  }

  add(gatherer: Gatherer): void {
    if (gatherer.isGathering) return;
    gatherer.isGathering = true;
    if (this.#gatherers.push(gatherer) === 1) this.#defer(() => this.#flush());
  }

  #flush(): void {
    const gatherers = this.#gatherers;
    this.#gatherers = [];
    for (const gatherer of gatherers) {
      gatherer.isGathering = false;
      gatherer.flush();
    }
  }
}
