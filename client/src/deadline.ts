import { setTimeout as sleep } from 'node:timers/promises';

/** One call's time: `timeoutMs` for all of its attempts and waits together, and the caller's own signal. */
export class Deadline implements Disposable {
  readonly timeoutMs: number;
  readonly #endsAtMs: number;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  #isOver = false;

  /** Throws the caller's abort reason where it has already aborted, RangeError for a wrong `timeoutMs`. */
  constructor(timeoutMs: number, caller: AbortSignal | undefined) {
    if (!(timeoutMs > 0 && timeoutMs < 2 ** 31))
      throw new RangeError(`timeoutMs is ${timeoutMs}, not 1..2147483647`);
    caller?.throwIfAborted();
    this.timeoutMs = timeoutMs;
    this.#endsAtMs = performance.now() + timeoutMs;
    this.#caller = caller;
    this.#timer = setTimeout(this.#end, timeoutMs);
    caller?.addEventListener('abort', this.#follow);
  }

  /** Aborted by the caller or by the time. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the time is over; false where the caller aborted first. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get remainingMs(): number {
    return this.#endsAtMs - performance.now();
  }

  /** Throws the caller's reason where the caller aborted. */
  throwIfAbortedByCaller(): void {
    if (!this.#isOver) this.#caller?.throwIfAborted();
  }

  /** Lets a stream run on: from here only the caller's signal counts. */
  stopClock(): void {
    clearTimeout(this.#timer);
  }

  async wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.signal });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#follow);
  }

  readonly #end = (): void => {
    this.#isOver = true;
    this.#controller.abort();
  };

  readonly #follow = (): void => this.#controller.abort(this.#caller?.reason);
}
