import type { MemberId } from '../../core/raft/types.ts';

/** What is kept for one owner. */
export type OwnerHints = {
  readonly count: number;
  /** Of keys and values, as they are stored. */
  readonly bytes: number;
  /** No hint is older: it may be gone already, until the next look at all of them. */
  readonly oldestAtMs: number;
};

/** How much is kept for whom: the sum of what lies in the engine, so that no limit needs a scan. */
export class HintLedger {
  readonly #owners = new Map<MemberId, OwnerHints>();
  #bytes = 0;
  #count = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#count;
  }

  get owners(): ReadonlyMap<MemberId, OwnerHints> {
    return this.#owners;
  }

  add(owner: MemberId, bytes: number, keptAtMs: number): void {
    const before = this.#owners.get(owner) ?? { count: 0, bytes: 0, oldestAtMs: keptAtMs };
    this.#become(owner, {
      count: before.count + 1,
      bytes: before.bytes + bytes,
      oldestAtMs: Math.min(before.oldestAtMs, keptAtMs),
    });
  }

  remove(owner: MemberId, bytes: number): void {
    const before = this.#owners.get(owner);
    if (before === undefined)
      throw new Error(`a hint for member ${owner} was removed that was never counted`);
    this.#become(owner, { ...before, count: before.count - 1, bytes: before.bytes - bytes });
  }

  drop(owner: MemberId): void {
    const before = this.#owners.get(owner);
    if (before !== undefined) this.#become(owner, { ...before, count: 0, bytes: 0 });
  }

  /** After a look at all of the owner's hints. */
  setOldest(owner: MemberId, oldestAtMs: number): void {
    const before = this.#owners.get(owner);
    if (before !== undefined) this.#owners.set(owner, { ...before, oldestAtMs });
  }

  #become(owner: MemberId, after: OwnerHints): void {
    const before = this.#owners.get(owner);
    this.#bytes += after.bytes - (before?.bytes ?? 0);
    this.#count += after.count - (before?.count ?? 0);
    if (after.count > 0) this.#owners.set(owner, after);
    else this.#owners.delete(owner);
  }
}
