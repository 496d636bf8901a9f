import type { Random } from '../raft/state.ts';
import type { MemberId } from '../raft/types.ts';

/**
 * Whom to probe next: every other member once per round, in an order that is drawn anew for each round, so that a
 * silent member is probed by each within two rounds (SWIM section 4.3).
 */
export class ProbeOrder {
  readonly #random: Random;
  readonly #members: MemberId[] = [];
  #next = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** At a random place, so that a newcomer is not probed by all at once. */
  add(member: MemberId): void {
    const place = this.#random.below(this.#members.length + 1);
    this.#members.splice(place, 0, member);
    if (place < this.#next) this.#next += 1;
  }

  remove(member: MemberId): void {
    const place = this.#members.indexOf(member);
    if (place === -1) return;
    this.#members.splice(place, 1);
    if (place < this.#next) this.#next -= 1;
  }

  next(isWanted: (member: MemberId) => boolean): MemberId | undefined {
    for (let tries = this.#members.length; tries > 0; tries--) {
      if (this.#next >= this.#members.length) this.#shuffle();
      const member = this.#members[this.#next++] as MemberId;
      if (isWanted(member)) return member;
    }
    return undefined;
  }

  /** Up to `count` members: those that stand behind a random place of the order. */
  some(count: number, isWanted: (member: MemberId) => boolean): MemberId[] {
    const size = this.#members.length;
    const chosen: MemberId[] = [];
    const start = size === 0 ? 0 : this.#random.below(size);
    for (let i = 0; i < size && chosen.length < count; i++) {
      const member = this.#members[(start + i) % size] as MemberId;
      if (isWanted(member)) chosen.push(member);
    }
    return chosen;
  }

  #shuffle(): void {
    const members = this.#members;
    this.#next = 0;
    for (let i = members.length - 1; i > 0; i--) {
      const j = this.#random.below(i + 1);
      [members[i], members[j]] = [members[j] as MemberId, members[i] as MemberId];
    }
  }
}
