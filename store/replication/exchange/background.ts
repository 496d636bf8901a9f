import { type Clock, sleep } from '../../ports/clock.ts';

/** Work that nobody waits for, until `stop` does. What it throws is told, and ends that piece of work alone. */
export class Background {
  readonly #tell: (what: string, error: unknown) => void;
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(deps: { readonly tell: (what: string, error: unknown) => void }) {
    this.#tell = deps.tell;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  run(what: string, work: (signal: AbortSignal) => Promise<void>): void {
    if (this.signal.aborted) return;
    const running: Promise<void> = this.#guarded(what, work).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Runs `work` again and again: `firstMs` from now, then `intervalMs()` after each end. */
  repeat(
    what: string,
    clock: Clock,
    firstMs: number,
    intervalMs: () => number,
    work: () => Promise<void>,
  ): void {
    this.run(what, async (signal) => {
      for (await sleep(clock, firstMs, signal); !signal.aborted; await sleep(clock, intervalMs(), signal))
        await this.#guarded(what, work);
    });
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#running);
  }

  async #guarded(what: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await work(this.signal);
    } catch (error) {
      this.#tell(what, error);
    }
  }
}

/** Lets `max` pieces of work run at the same time; the others wait in the order in which they came. */
export class Gate {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(options: { readonly max: number }) {
    this.#free = options.max;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
