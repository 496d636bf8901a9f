import type { ExchangeTable } from './exchange-table.ts';

/** Whole numbers, one per member. */
export type LoadBounds = { readonly least: ArrayLike<number>; readonly most: ArrayLike<number> };

/** What `settleLoads` moves: an exchange takes one place from a member and gives it to another. */
export type Exchangeable = {
  readonly table: ExchangeTable;
  /** Places that each member holds; kept up to date by `exchange`. */
  readonly load: Int32Array;
  /** Carries out one of the exchanges of that cost. */
  exchange(from: number, to: number, cost: number): void;
};

/**
 * Brings every load within its bounds at the least total cost of exchanges: minimum-cost flow by successive shortest
 * paths (Ahuja, Magnanti, Orlin, Network Flows, section 9.7; potentials after Edmonds and Karp 1972).
 *
 * The caller owes two things: each partition by itself starts at its lowest cost, so no round of exchanges gains
 * anything (no negative cycle); and loads within the bounds exist. One node, the sink, stands for the room between
 * `least` and `most`. Among the cheapest paths one with the fewest steps is taken: it never uses a partition twice in
 * ways that collide, since the path without the detour would be as cheap and shorter.
 */
export function settleLoads(places: Exchangeable, bounds: LoadBounds): void {
  const flow = new Flow(places, bounds);
  for (;;) {
    const source = flow.findExcess();
    if (source === undefined) return;
    flow.sendFrom(source);
  }
}

class Flow {
  readonly #places: Exchangeable;
  readonly #bounds: LoadBounds;
  readonly #sink: number;
  /** What each member passes to the sink, always within its bounds. */
  readonly #passed: Int32Array;
  /** Above 0: too much; below 0: too little. Sums to 0 over members and sink. */
  readonly #excess: Int32Array;
  readonly #potential: Float64Array;
  readonly #distance: Float64Array;
  readonly #hops: Int32Array;
  readonly #previous: Int32Array;
  readonly #isDone: Uint8Array;

  constructor(places: Exchangeable, bounds: LoadBounds) {
    const { load } = places;
    this.#places = places;
    this.#bounds = bounds;
    this.#sink = load.length;
    this.#passed = load.map((value, m) => Math.min(bounds.most[m]!, Math.max(bounds.least[m]!, value)));
    this.#excess = new Int32Array(load.length + 1);
    for (let m = 0; m < load.length; m++) {
      this.#excess[m] = load[m]! - this.#passed[m]!;
      this.#excess[this.#sink]! -= this.#excess[m]!;
    }
    this.#potential = new Float64Array(load.length + 1);
    this.#distance = new Float64Array(load.length + 1);
    this.#hops = new Int32Array(load.length + 1);
    this.#previous = new Int32Array(load.length + 1);
    this.#isDone = new Uint8Array(load.length + 1);
  }

  findExcess(): number | undefined {
    const node = this.#excess.findIndex((value) => value > 0);
    return node < 0 ? undefined : node;
  }

  sendFrom(source: number): void {
    const target = this.#shortestPath(source);
    if (target === undefined)
      throw new Error('placement: no loads within the bounds exist; the ideals are wrong');
    const steps: (readonly [number, number])[] = [];
    for (let node = target; node !== source; node = this.#previous[node]!)
      steps.push([this.#previous[node]!, node]);
    const costs = steps.map(([from, to]) => this.#cost(from, to));
    // While the steps cost what they did, the path stays a shortest one, and need not be searched again.
    do {
      for (const [i, [from, to]] of steps.entries()) this.#send(from, to, costs[i]!);
      this.#excess[source]!--;
      this.#excess[target]!++;
    } while (
      this.#excess[source]! > 0 &&
      this.#excess[target]! < 0 &&
      steps.every(([from, to], i) => this.#cost(from, to) === costs[i])
    );
  }

  #send(from: number, to: number, cost: number): void {
    if (to === this.#sink) this.#passed[from]!++;
    else if (from === this.#sink) this.#passed[to]!--;
    else this.#places.exchange(from, to, cost);
  }

  #cost(from: number, to: number): number {
    if (to === this.#sink)
      return this.#passed[from]! < this.#bounds.most[from]! ? 0 : Number.POSITIVE_INFINITY;
    if (from === this.#sink)
      return this.#passed[to]! > this.#bounds.least[to]! ? 0 : Number.POSITIVE_INFINITY;
    return this.#places.table.cheapest(from, to);
  }

  /** Dijkstra by (cost, hops) from `source` to the nearest node that has too little. */
  #shortestPath(source: number): number | undefined {
    this.#distance.fill(Number.POSITIVE_INFINITY);
    this.#isDone.fill(0);
    this.#distance[source] = 0;
    this.#hops[source] = 0;
    for (let node = this.#nearest(); node >= 0; node = this.#nearest()) {
      this.#isDone[node] = 1;
      if (this.#excess[node]! < 0) {
        this.#raisePotentials(this.#distance[node]!);
        return node;
      }
      this.#relax(node);
    }
    return undefined;
  }

  #nearest(): number {
    let best = -1;
    for (let node = 0; node <= this.#sink; node++) {
      if (this.#isDone[node] === 1 || this.#distance[node] === Number.POSITIVE_INFINITY) continue;
      if (best < 0 || this.#isNearer(node, this.#distance[best]!, this.#hops[best]!)) best = node;
    }
    return best;
  }

  #isNearer(node: number, distance: number, hops: number): boolean {
    const own = this.#distance[node]!;
    return own < distance || (own === distance && this.#hops[node]! < hops);
  }

  #relax(from: number): void {
    const base = this.#distance[from]! + this.#potential[from]!;
    const hops = this.#hops[from]! + 1;
    for (let to = 0; to <= this.#sink; to++) {
      if (to === from || this.#isDone[to] === 1) continue;
      const distance = base + this.#cost(from, to) - this.#potential[to]!;
      if (distance === Number.POSITIVE_INFINITY) continue;
      const known = this.#distance[to]!;
      if (known < distance || (known === distance && this.#hops[to]! <= hops)) continue;
      this.#distance[to] = distance;
      this.#hops[to] = hops;
      this.#previous[to] = from;
    }
  }

  #raisePotentials(most: number): void {
    for (let node = 0; node <= this.#sink; node++)
      this.#potential[node]! += Math.min(most, this.#distance[node]!);
  }
}
