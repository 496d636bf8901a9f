import assert from 'node:assert/strict';
import type { MemberSeen, OperationSeen, TopologySeen } from '../observation.ts';
import { OPERATOR_NAME } from './act.ts';
import { upTo } from './test-observation.ts';

/** What a node keeps on its volume. */
export type Disk = { readonly directory: number; number?: number; clusterId?: string };

type SimMember = {
  readonly number: number;
  readonly name: string;
  going?: 'drain' | 'replace' | undefined;
  zone: string;
};

const LEASE_MS = 60_000;

/** The store as far as an operator can tell: members, sets that move replica by replica, operations, leases to stop. */
export class TestStore {
  readonly clusterId: string;
  factor: number;
  epoch = 1;
  readonly members = new Map<number, SimMember>();
  sets: number[][] = [];
  readonly #partitions: number;
  readonly #isUp: (number: number) => boolean;
  readonly #leases = new Map<number, number>();
  #nextNumber = 1;

  constructor(
    options: { readonly clusterId: string; readonly factor: number; readonly partitions: number },
    isUp: (number: number) => boolean,
  ) {
    this.clusterId = options.clusterId;
    this.factor = options.factor;
    this.#partitions = options.partitions;
    this.#isUp = isUp;
  }

  get hasLeader(): boolean {
    const up = [...this.members.keys()].filter(this.#isUp).length;
    return up > this.members.size / 2;
  }

  /** False where it has to wait: without a leader, or as the only one that may hold what it held before. */
  join(name: string, disk: Disk): boolean {
    const before = [...this.members.values()].find((member) => member.name === name);
    if (!this.hasLeader && this.members.size > 0) return false;
    if (before !== undefined && !this.#canRetire(before.number)) return false;
    if (before !== undefined) this.members.delete(before.number);
    const number = this.#nextNumber++;
    const going = before?.going === 'drain' ? 'drain' : undefined;
    this.members.set(number, { number, name, going, zone: '' });
    this.epoch += 1;
    disk.number = number;
    disk.clusterId = this.clusterId;
    return true;
  }

  #canRetire(number: number): boolean {
    const of = this.sets.filter((set) => set.includes(number));
    const isLast = this.members.size === 1;
    return (
      !isLast &&
      of.every((set) => set.filter((n) => n !== number && this.members.has(n)).length * 2 > set.length)
    );
  }

  started(number: number): void {
    this.#leases.delete(number);
  }

  drain(name: string): string | undefined {
    const member = this.#named(name);
    if (member === undefined) return 'MEMBER_NOT_FOUND';
    const others = this.#eligible().filter(({ number }) => number !== member.number);
    if (others.length < this.factor && member.going === undefined) return 'TOO_FEW_MEMBERS';
    member.going = 'drain';
    this.epoch += 1;
    return undefined;
  }

  cancelDrain(name: string): void {
    const member = this.#named(name);
    if (member?.going !== 'drain') return;
    member.going = undefined;
    this.epoch += 1;
  }

  setZone(name: string, zone: string): void {
    const member = this.#named(name);
    if (member !== undefined) Object.assign(member, { zone });
    this.epoch += 1;
  }

  changeFactor(factor: number): string | undefined {
    if (this.#eligible().length < factor) return 'TOO_FEW_MEMBERS';
    this.factor = factor;
    this.epoch += 1;
    return undefined;
  }

  /** Only of one that is down: what it held is made anew, then it is removed. */
  replace(name: string): string | undefined {
    const member = this.#named(name);
    if (member === undefined || this.#isUp(member.number)) return 'MEMBER_ALIVE';
    if (this.#eligible().length <= this.factor) return 'TOO_FEW_MEMBERS';
    member.going = 'replace';
    this.epoch += 1;
    return undefined;
  }

  canStop(name: string, nowMs: number): boolean {
    const member = this.#named(name);
    if (!this.hasLeader || member === undefined || member.going !== undefined) return false;
    const isAbsent = (number: number) =>
      number === member.number || !this.#isUp(number) || (this.#leases.get(number) ?? 0) > nowMs;
    const isShort = (set: readonly number[]) => set.filter((n) => !isAbsent(n)).length * 2 <= set.length;
    if (
      isShort([...this.members.keys()]) ||
      this.sets.some((set) => set.includes(member.number) && isShort(set))
    )
      return false;
    this.#leases.set(member.number, nowMs + LEASE_MS);
    return true;
  }

  /** It was told that it may stop, not long ago. */
  hasLease(number: number, nowMs: number): boolean {
    return (this.#leases.get(number) ?? 0) > nowMs;
  }

  /** One replica moves, one member is removed, or the partitions are placed; false where nothing is to be done. */
  progress(): boolean {
    if (!this.hasLeader) return false;
    return this.#place() || this.#moveOne() || this.#endDrain();
  }

  #place(): boolean {
    const able = this.#eligible().filter(({ number }) => this.#isUp(number));
    if (this.sets.length > 0 || able.length < this.factor) return false;
    this.sets = upTo(this.#partitions).map((p) =>
      upTo(this.factor).map((i) => able[(p + i) % able.length]?.number ?? 0),
    );
    this.epoch += 1;
    return true;
  }

  #moveOne(): boolean {
    const eligible = this.#eligible().map(({ number }) => number);
    if (eligible.length < this.factor) return false;
    return this.sets.some((set, index) => {
      if (this.isLost(set)) return false;
      const next = this.#nextSet(set, eligible);
      if (next === undefined) return false;
      assert.ok(next.every((number) => this.members.has(number) || set.includes(number)));
      this.sets[index] = next;
      this.epoch += 1;
      return true;
    });
  }

  /** Fill up, drop what is too many, exchange one that goes for one that stays, then even out; only onto members that are up. */
  #nextSet(set: readonly number[], eligible: readonly number[]): number[] | undefined {
    const gone = set.find((number) => !eligible.includes(number));
    if (set.length > this.factor)
      return set.filter((number) => number !== (set.find((n) => !this.#isUp(n)) ?? gone ?? set.at(-1)));
    const fresh = eligible
      .filter((number) => !set.includes(number) && this.#isUp(number))
      .toSorted((a, b) => this.loadOf(a) - this.loadOf(b))[0];
    if (fresh === undefined) return undefined;
    if (set.length < this.factor) return [...set, fresh];
    if (gone !== undefined) return set.map((number) => (number === gone ? fresh : number));
    const heavy = set.toSorted((a, b) => this.loadOf(b) - this.loadOf(a))[0] ?? 0;
    if (this.loadOf(heavy) - this.loadOf(fresh) <= 1) return undefined;
    return set.map((number) => (number === heavy ? fresh : number));
  }

  #endDrain(): boolean {
    const empty = [...this.members.values()].find(
      ({ number, going }) =>
        going !== undefined && this.loadOf(number) === 0 && this.#canDecideWithout(number),
    );
    if (empty === undefined || this.sets.length === 0) return false;
    this.members.delete(empty.number);
    this.epoch += 1;
    return true;
  }

  #canDecideWithout(number: number): boolean {
    const rest = [...this.members.keys()].filter((each) => each !== number);
    return rest.filter(this.#isUp).length * 2 > rest.length;
  }

  loadOf(number: number): number {
    return this.sets.filter((set) => set.includes(number)).length;
  }

  isLost(set: readonly number[]): boolean {
    return set.filter(this.#isUp).length * 2 <= set.length;
  }

  /** All is there, and somebody may fail. */
  get isWhole(): boolean {
    return (
      this.sets.length > 0 &&
      this.sets.every((set) => set.length === this.factor && set.every(this.#isUp)) &&
      [...this.members.keys()].every(this.#isUp)
    );
  }

  #eligible(): readonly SimMember[] {
    return [...this.members.values()].filter(({ going }) => going === undefined);
  }

  #named(name: string): SimMember | undefined {
    return [...this.members.values()].find((member) => member.name === name);
  }

  seen(): TopologySeen {
    const members = [...this.members.values()];
    return {
      clusterId: this.clusterId,
      epoch: this.epoch,
      leader: members[0]?.name,
      replicationFactor: this.factor,
      isPlaced: this.sets.length > 0,
      members: members.map((member) => this.#memberSeen(member)),
      operations: members.flatMap((member) => this.#operationsOf(member)),
      partitionsShort: this.sets.filter((set) => !set.every(this.#isUp)).length,
      partitionsLost: this.sets.filter((set) => this.isLost(set)).length,
    };
  }

  #memberSeen({ number, name, going, zone }: SimMember): MemberSeen {
    const of = this.sets.filter((set) => set.includes(number));
    const isExpendable = of.every(
      (set) => set.filter((n) => n !== number && this.#isUp(n)).length * 2 > set.length,
    );
    const isUp = this.#isUp(number);
    const isDraining = going === 'drain';
    return {
      number,
      name,
      isUp,
      isDraining,
      zone,
      version: '0.1.0',
      partitions: of.length,
      isExpendable,
    };
  }

  #operationsOf({ number, name, going: type }: SimMember): readonly OperationSeen[] {
    if (type === undefined) return [];
    const partitionsLeft = this.loadOf(number);
    const id = `${type}-${number}`;
    return [{ id, type, by: OPERATOR_NAME, member: name, partitions: this.sets.length, partitionsLeft }];
  }
}
