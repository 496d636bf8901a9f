import type { Clockwork } from './clockwork.ts';

/** A stretch of work of one thread: how long it takes is known when it begins. */
export type Stretch = { begin(): number; end(): void };

/** Cores that threads take in turn, first come, first served; none is taken away before its stretch ends. */
export class Cores {
  readonly #clockwork: Clockwork;
  readonly #waiting: Stretch[] = [];
  #first = 0;
  #free: number;
  readonly #pace: number;

  /** `pace`: how much longer a stretch takes, because others use the cores as well. */
  constructor(options: { readonly count: number; readonly pace: number }, clockwork: Clockwork) {
    this.#free = options.count;
    this.#pace = options.pace;
    this.#clockwork = clockwork;
  }

  run(stretch: Stretch): void {
    this.#waiting.push(stretch);
    this.#next();
  }

  #next(): void {
    if (this.#free === 0 || this.#first === this.#waiting.length) return;
    const stretch = this.#waiting[this.#first++] as Stretch;
    if (this.#first === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#first = 0;
    }
    this.#free -= 1;
    this.#clockwork.after(this.#pace * stretch.begin(), () => {
      this.#free += 1;
      stretch.end();
      this.#next();
    });
  }
}
