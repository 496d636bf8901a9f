import { ExchangeTable } from './exchange-table.ts';
import type { Roster } from './roster.ts';
import type { Exchangeable } from './settle-loads.ts';
import type { ZoneSpread } from './zone-spread.ts';

/** The replica sets while they are planned: members by index, the sets without order. */
export class ReplicaSets implements Exchangeable {
  readonly table: ExchangeTable;
  readonly load: Int32Array;
  readonly #roster: Roster;
  readonly #spread: ZoneSpread;
  readonly #sets: number[][];
  /** Partitions x members: 1 where the member is in the set now, and where it was in it before. */
  readonly #isIn: Uint8Array;
  readonly #wasIn: Uint8Array;
  /** Partitions x zones: replicas in that zone. */
  readonly #inZone: Int32Array;

  constructor(
    options: { readonly before: readonly (readonly number[])[]; readonly spread: ZoneSpread },
    roster: Roster,
  ) {
    const partitions = options.before.length;
    const members = roster.ids.length;
    this.#roster = roster;
    this.#spread = options.spread;
    this.#sets = options.before.map(() => []);
    this.#isIn = new Uint8Array(partitions * members);
    this.#wasIn = new Uint8Array(partitions * members);
    this.#inZone = new Int32Array(partitions * roster.zones.length);
    this.load = new Int32Array(members);
    // A replica that stays is worth 1, so an exchange costs one more move, none more or one less.
    this.table = new ExchangeTable({ members, costMax: 1 });
    for (const [partition, before] of options.before.entries())
      for (const member of before) this.#wasIn[partition * members + member] = 1;
  }

  setOf(partition: number): readonly number[] {
    return this.#sets[partition]!;
  }

  has(partition: number, member: number): boolean {
    return this.#isIn[partition * this.load.length + member] === 1;
  }

  countIn(partition: number, zone: number): number {
    return this.#inZone[partition * this.#roster.zones.length + zone]!;
  }

  take(partition: number, member: number): void {
    this.#sets[partition]!.push(member);
    this.#count(partition, member, 1);
  }

  /** To be called once, when every set is complete. */
  countExchanges(): void {
    for (let partition = 0; partition < this.#sets.length; partition++) this.#countExchangesOf(partition, 1);
  }

  exchange(from: number, to: number, cost: number): void {
    const partition = this.#sets.findIndex((_, p) => this.#costOf(p, from, to) === cost);
    this.#countExchangesOf(partition, -1);
    const set = this.#sets[partition]!;
    set[set.indexOf(from)] = to;
    this.#count(partition, from, -1);
    this.#count(partition, to, 1);
    this.#countExchangesOf(partition, 1);
  }

  #count(partition: number, member: number, change: 1 | -1): void {
    this.#isIn[partition * this.load.length + member]! += change;
    this.#inZone[partition * this.#roster.zones.length + this.#roster.zoneOf[member]!]! += change;
    this.load[member]! += change;
  }

  #countExchangesOf(partition: number, change: 1 | -1): void {
    for (const from of this.#sets[partition]!) {
      for (let to = 0; to < this.load.length; to++) {
        const cost = this.#costOf(partition, from, to);
        if (cost !== undefined) this.table.add(from, to, cost, change);
      }
    }
  }

  /** Undefined where the exchange is not possible, or would leave the spread over zones. */
  #costOf(partition: number, from: number, to: number): number | undefined {
    const row = partition * this.load.length;
    if (this.#isIn[row + from] === 0 || this.#isIn[row + to] === 1) return undefined;
    const leaves = this.#roster.zoneOf[from]!;
    const enters = this.#roster.zoneOf[to]!;
    if (leaves !== enters) {
      if (this.countIn(partition, leaves) <= this.#spread.least[leaves]!) return undefined;
      if (this.countIn(partition, enters) >= this.#spread.most[enters]!) return undefined;
    }
    return this.#wasIn[row + from]! - this.#wasIn[row + to]!;
  }
}
