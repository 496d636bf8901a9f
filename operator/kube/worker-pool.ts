import type { Clock } from '../../store/ports/clock.ts';
import { isConflict, KubeError } from './kube-error.ts';
import type { KubeLog } from './kube-log.ts';
import type { WorkQueue } from './work-queue.ts';

/** What the work on a key ended with. */
export type WorkResult = {
  /** The key is looked at again after so long, even if nothing happens to it. */
  readonly requeueAfterMs?: number | undefined;
};

/** Works on one key; a failure is thrown. The signal ends it when the operator stops and the time of grace is over. */
export type Work = (key: string, signal: AbortSignal) => Promise<WorkResult>;

/** A failure that no repetition mends: the key is left alone until something happens to it. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

export type WorkOutcome = 'success' | 'requeue_after' | 'error' | 'conflict' | 'terminal_error';

export type WorkerPoolDeps = {
  readonly queue: WorkQueue;
  readonly work: Work;
  readonly clock: Clock;
  readonly log: KubeLog;
  readonly observe?: (outcome: WorkOutcome, seconds: number) => void;
};

/** So many keys at once, each key by one worker at a time. A failure of one key never ends anything else. */
export class WorkerPool {
  readonly #workers: number;
  readonly #deps: WorkerPoolDeps;
  readonly #ending = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #active = 0;

  constructor(options: { readonly workers: number }, deps: WorkerPoolDeps) {
    this.#workers = options.workers;
    this.#deps = deps;
  }

  /** Workers that have a key now. */
  get active(): number {
    return this.#active;
  }

  start(): void {
    this.#running = Promise.all(Array.from({ length: this.#workers }, () => this.#run()));
  }

  /** No further key is begun; what is under way has `graceMs` to end by itself and is told to end then. */
  async stop(graceMs: number): Promise<void> {
    this.#deps.queue.stop();
    const timer = this.#deps.clock.setTimer(graceMs, () => this.#ending.abort());
    await this.#running;
    timer.cancel();
  }

  /** Work is told to end at once: who works on may not any more. */
  async abort(): Promise<void> {
    this.#ending.abort();
    await this.stop(0);
  }

  async #run(): Promise<void> {
    const { queue } = this.#deps;
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      this.#active++;
      await this.#workOn(key);
      this.#active--;
      queue.done(key);
    }
  }

  async #workOn(key: string): Promise<void> {
    const { work, clock, observe } = this.#deps;
    const startMs = clock.monotonicMs();
    let outcome: WorkOutcome;
    try {
      outcome = this.#succeed(key, await work(key, this.#ending.signal));
    } catch (error) {
      outcome = this.#fail(key, error);
    }
    observe?.(outcome, (clock.monotonicMs() - startMs) / 1000);
  }

  #succeed(key: string, { requeueAfterMs }: WorkResult): WorkOutcome {
    const { queue } = this.#deps;
    queue.forget(key);
    if (requeueAfterMs === undefined) return 'success';
    queue.addAfter(key, requeueAfterMs);
    return 'requeue_after';
  }

  #fail(key: string, error: unknown): WorkOutcome {
    const { queue, log } = this.#deps;
    const fields = { err: error, key, failures: queue.failures(key) + 1 };
    if (error instanceof TerminalError) {
      log.error(fields, 'work failed, and is not repeated until something changes');
      queue.forget(key);
      return 'terminal_error';
    }
    queue.addRateLimited(key, error instanceof KubeError ? error.retryAfterMs : undefined);
    // Somebody else was faster: the next look sees what they did.
    if (isConflict(error)) log.debug(fields, 'work met a conflict and is repeated');
    else log.error(fields, 'work failed and is repeated');
    return isConflict(error) ? 'conflict' : 'error';
  }
}
