import { ExchangeTable } from './exchange-table.ts';
import type { Exchangeable } from './settle-loads.ts';

/** The first member of each set: it was the primary, it holds the data, or it has yet to receive it. */
const COST = { stays: 0, holdsData: 1, newcomer: 2 } as const;

/** Who leads each partition, chosen among its replica set; members by index. */
export class Primaries implements Exchangeable {
  readonly table: ExchangeTable;
  readonly load: Int32Array;
  readonly #sets: readonly (readonly number[])[];
  readonly #before: readonly (readonly number[])[];
  readonly #primaryOf: number[];

  /** `before` may name a primary -1: one that is no member any more. */
  constructor(
    options: { readonly members: number; readonly ideal: readonly number[] },
    replicas: {
      readonly sets: readonly (readonly number[])[];
      readonly before: readonly (readonly number[])[];
    },
  ) {
    this.#sets = replicas.sets;
    this.#before = replicas.before;
    this.load = new Int32Array(options.members);
    this.table = new ExchangeTable({ members: options.members, costMax: COST.newcomer });
    this.#primaryOf = this.#sets.map((set, partition) => {
      const primary = this.#cheapest(partition, set, options.ideal);
      this.load[primary]!++;
      return primary;
    });
    for (const partition of this.#sets.keys()) this.#countExchangesOf(partition, 1);
  }

  primaryOf(partition: number): number {
    return this.#primaryOf[partition]!;
  }

  exchange(from: number, to: number, cost: number): void {
    const partition = this.#primaryOf.findIndex(
      (primary, p) =>
        primary === from && this.#sets[p]!.includes(to) && this.#cost(p, to) - this.#cost(p, from) === cost,
    );
    this.#countExchangesOf(partition, -1);
    this.#primaryOf[partition] = to;
    this.#countExchangesOf(partition, 1);
    this.load[from]!--;
    this.load[to]!++;
  }

  #cost(partition: number, member: number): number {
    const before = this.#before[partition]!;
    if (before[0] === member) return COST.stays;
    return before.includes(member) ? COST.holdsData : COST.newcomer;
  }

  /** Between equals, the one with the smallest part of its ideal. */
  #cheapest(partition: number, set: readonly number[], ideal: readonly number[]): number {
    const rank = (member: number): number => this.load[member]! / ideal[member]!;
    return set.reduce((best, member) => {
      const difference = this.#cost(partition, member) - this.#cost(partition, best);
      return difference < 0 || (difference === 0 && rank(member) < rank(best)) ? member : best;
    });
  }

  #countExchangesOf(partition: number, change: 1 | -1): void {
    const from = this.#primaryOf[partition]!;
    for (const to of this.#sets[partition]!) {
      if (to !== from)
        this.table.add(from, to, this.#cost(partition, to) - this.#cost(partition, from), change);
    }
  }
}
