import type { MemberId } from '../raft/types.ts';

type Entry<Value> = {
  readonly member: MemberId;
  readonly value: Value;
  readonly rest: Entry<Value> | undefined;
};

/**
 * What is known of some members: a value that shares its tail with the one before. A decision makes one for each reply, and
 * copies of a Map were a large part of what a request cost. Replica sets are small: a look is a short walk.
 */
export class ByMember<Value> {
  /** The last that was heard of first. */
  readonly head: Entry<Value> | undefined;

  constructor(head: Entry<Value> | undefined = undefined) {
    this.head = head;
  }

  get size(): number {
    let size = 0;
    for (let entry = this.head; entry !== undefined; entry = entry.rest) size += 1;
    return size;
  }

  has(member: MemberId): boolean {
    return this.#find(member) !== undefined;
  }

  get(member: MemberId): Value | undefined {
    return this.#find(member)?.value;
  }

  with(member: MemberId, value: Value): ByMember<Value> {
    return new ByMember({ member, value, rest: without(this.head, member) });
  }

  without(member: MemberId): ByMember<Value> {
    const rest = without(this.head, member);
    return rest === this.head ? this : new ByMember(rest);
  }

  members(): readonly MemberId[] {
    const members: MemberId[] = [];
    for (let entry = this.head; entry !== undefined; entry = entry.rest) members.push(entry.member);
    return members;
  }

  values(): readonly Value[] {
    const values: Value[] = [];
    for (let entry = this.head; entry !== undefined; entry = entry.rest) values.push(entry.value);
    return values;
  }

  #find(member: MemberId): Entry<Value> | undefined {
    let entry = this.head;
    while (entry !== undefined && entry.member !== member) entry = entry.rest;
    return entry;
  }
}

const NONE = new ByMember<never>();

/** Nothing is known of anybody. */
export const nobody = <Value>(): ByMember<Value> => NONE as ByMember<Value>;

/** The same list where the member is not in it. */
function without<Value>(entry: Entry<Value> | undefined, member: MemberId): Entry<Value> | undefined {
  if (entry === undefined) return undefined;
  if (entry.member === member) return entry.rest;
  const rest = without(entry.rest, member);
  return rest === entry.rest ? entry : { ...entry, rest };
}
