/**
 * Which commands of one connection may be under way together. Whoever sends commands without waiting for the answers between them
 * sees each key change in the order of the commands: two of them wait for each other where one writes a key that the other
 * reads or writes. Keys are names of any kind.
 */
export class KeyOrder {
  /** Under way: -1 for a write, else the count of reads. */
  readonly #underWay = new Map<string, number>();

  /** Whether a command on these keys may begin now. */
  allows(keys: readonly string[], isWrite: boolean): boolean {
    if (this.#underWay.size === 0) return true;
    return keys.every((key) => {
      const state = this.#underWay.get(key);
      return state === undefined || (state > 0 && !isWrite);
    });
  }

  begin(keys: readonly string[], isWrite: boolean): void {
    for (const key of keys) this.#underWay.set(key, isWrite ? WRITE : (this.#underWay.get(key) ?? 0) + 1);
  }

  /** Of the same keys as `begin`. */
  end(keys: readonly string[], isWrite: boolean): void {
    for (const key of keys) {
      const readers = this.#underWay.get(key) ?? 0;
      if (isWrite || readers <= 1) this.#underWay.delete(key);
      else this.#underWay.set(key, readers - 1);
    }
  }
}

const WRITE = -1;
