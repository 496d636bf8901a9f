/**
 * For each pair of members, in how many partitions the first could hand its place to the second, by the cost of
 * doing so: a whole number from -costMax to costMax. It answers in constant time what the cheapest exchange costs.
 */
export class ExchangeTable {
  readonly members: number;
  readonly #costMax: number;
  /** One plane of members x members for each cost, the lowest first. */
  readonly #counts: Int32Array[];

  constructor(options: { readonly members: number; readonly costMax: number }) {
    this.members = options.members;
    this.#costMax = options.costMax;
    const cells = options.members * options.members;
    this.#counts = Array.from({ length: 2 * options.costMax + 1 }, () => new Int32Array(cells));
  }

  add(from: number, to: number, cost: number, change: 1 | -1): void {
    this.#counts[cost + this.#costMax]![from * this.members + to]! += change;
  }

  /** Infinity where no partition allows the exchange. */
  cheapest(from: number, to: number): number {
    const cell = from * this.members + to;
    for (let plane = 0; plane < this.#counts.length; plane++)
      if (this.#counts[plane]![cell]! > 0) return plane - this.#costMax;
    return Number.POSITIVE_INFINITY;
  }
}
