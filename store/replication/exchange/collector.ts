import { type Clock, sleep } from '../../ports/clock.ts';
import type { Background } from './background.ts';
import type { ExchangeLog } from './exchange-log.ts';
import type { ExchangeReplica } from './exchange-options.ts';

export type CollectorOptions = { readonly collectRecordsMax: number; readonly collectPauseMs: number };
export type CollectorDeps = {
  readonly clock: Clock;
  readonly replica: Pick<ExchangeReplica, 'owned'>;
  readonly background: Background;
  readonly log: ExchangeLog;
};

/** Removes what lies below the watermarks, one partition after the other, a few records at a time. */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #deps: CollectorDeps;
  readonly #waiting = new Set<number>();
  #isRunning = false;

  constructor(options: CollectorOptions, deps: CollectorDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** There may be something to collect in `partition`. */
  note(partition: number): void {
    this.#waiting.add(partition);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#deps.background.run('collection', async (signal) => {
      try {
        for (const next of this.#waiting) {
          if (signal.aborted) break;
          this.#waiting.delete(next);
          await this.#collect(next, signal);
        }
      } finally {
        this.#isRunning = false;
      }
    });
  }

  async #collect(partition: number, signal: AbortSignal): Promise<void> {
    const { replica, clock, log } = this.#deps;
    const { collectRecordsMax, collectPauseMs } = this.#options;
    while (!signal.aborted) {
      const collected = await replica.owned(partition)?.collect(collectRecordsMax);
      if (collected === undefined || collected === 0) return;
      log.count({ recordsCollected: collected });
      await sleep(clock, collectPauseMs, signal);
    }
  }
}
