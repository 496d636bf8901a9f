import { setTimeout as sleep } from 'node:timers/promises';

/** One call's time: `timeoutMs` for all of its attempts and waits together, and the caller's own signal. */
export class Deadline implements Disposable {
  readonly timeoutMs: number;
  readonly #endsAtMs: number;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #whole: Deadline | undefined;
  readonly #timer: NodeJS.Timeout;
  #isOver = false;

  /**
   * Throws the caller's abort reason where it has already aborted, RangeError for a wrong `timeoutMs`. `whole`: the
   * call's deadline, where this one is of a part of it.
   */
  constructor(timeoutMs: number, caller: AbortSignal | undefined, whole?: Deadline) {
    if (!(timeoutMs > 0 && timeoutMs < 2 ** 31))
      throw new RangeError(`timeoutMs is ${timeoutMs}, not 1..2147483647`);
    if (whole === undefined) caller?.throwIfAborted();
    this.timeoutMs = timeoutMs;
    this.#endsAtMs = performance.now() + timeoutMs;
    this.#caller = caller;
    this.#whole = whole;
    this.#timer = setTimeout(this.#end, timeoutMs);
    caller?.addEventListener('abort', this.#follow);
    if (caller?.aborted === true) this.#follow();
  }

  /** Aborted by the caller or by the time. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the time is over; false where the caller aborted first. */
  get isOver(): boolean {
    return this.#isOver || this.#whole?.isOver === true;
  }

  /** The time that is over, in milliseconds: the call's, or this part's; undefined while there is some left. */
  get overMs(): number | undefined {
    return this.#whole?.overMs ?? (this.#isOver ? this.timeoutMs : undefined);
  }

  get remainingMs(): number {
    return this.#endsAtMs - performance.now();
  }

  /** A part of this time. */
  within(ms: number): Deadline {
    return new Deadline(ms, this.signal, this);
  }

  /** Throws the caller's reason where the caller aborted. */
  throwIfAbortedByCaller(): void {
    if (this.#whole !== undefined) this.#whole.throwIfAbortedByCaller();
    else if (!this.#isOver) this.#caller?.throwIfAborted();
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
