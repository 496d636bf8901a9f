/**
 * How far this node trusts itself (Lifeguard section 3.1): 0 is well; every sign that it is this node that is slow
 * adds to it, every answered probe takes one away. It stretches the probes of this node, so that a slow one accuses
 * nobody.
 */
export class LocalHealth {
  readonly #max: number;
  #score = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get score(): number {
    return this.#score;
  }

  /** What periods and timeouts of probes are multiplied with. */
  get factor(): number {
    return 1 + this.#score;
  }

  improve(): void {
    this.#score = Math.max(0, this.#score - 1);
  }

  worsen(by = 1): void {
    this.#score = Math.min(this.#max, this.#score + by);
  }
}
