import type { Version } from '../../core/version/version.ts';
import type { KeyState } from './key-state.ts';
import type { PartitionState } from './partition-state.ts';
import { addressOf } from './ranges.ts';

export type DamageOptions = { readonly corruptRecordsMax: number };

export type DamageDeps = {
  onCorrupt(partition: number, namespaceId: number, key: Uint8Array): void;
  /** The tree may count the record, or not: it must be built again. */
  rebuildTree(partition: PartitionState): void;
  /** There are more than `corruptRecordsMax`. */
  onTooMany(reason: string): void;
};

/** Keys whose stored record fails its checksum, from when it is found until the record is overwritten or removed. */
export class Damage {
  readonly #options: DamageOptions;
  readonly #deps: DamageDeps;
  /** What the replica is known to have held under them, where it is. */
  readonly #promised = new Map<string, Version | undefined>();

  constructor(options: DamageOptions, deps: DamageDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  get size(): number {
    return this.#promised.size;
  }

  has(name: string): boolean {
    return this.#promised.size > 0 && this.#promised.has(name);
  }

  /** Whether some record of the partition is damaged, as far as is known. */
  isIn({ number }: PartitionState): boolean {
    if (this.#promised.size === 0) return false;
    for (const name of this.#promised.keys())
      if (addressOf(Buffer.from(name, 'latin1')).partition === number) return true;
    return false;
  }

  /** Nothing older may take the place of the damaged record. */
  promisedOf(name: string): Version | undefined {
    return this.#promised.get(name);
  }

  /** The partition is deleted. */
  forget(partition: number): void {
    for (const name of this.#promised.keys())
      if (addressOf(Buffer.from(name, 'latin1')).partition === partition) this.#promised.delete(name);
  }

  heal(name: string): void {
    this.#promised.delete(name);
  }

  /** A look-up of the key found the damage: from now on the tree and the table are without the record. */
  found(state: KeyState): void {
    const { partition, isKnown, durable } = state;
    if (this.#promised.has(state.name)) return;
    state.isKnown = true;
    state.isDamaged = true;
    state.durable = undefined;
    const isCounted = isKnown && durable !== undefined && partition.tree.ready !== undefined;
    if (isCounted) partition.tree.update(state, durable, undefined);
    else this.#deps.rebuildTree(partition);
    this.#note(state.name, durable?.version);
  }

  #note(name: string, promised: Version | undefined): void {
    this.#promised.set(name, promised);
    const { partition, namespaceId, key } = addressOf(Buffer.from(name, 'latin1'));
    this.#deps.onCorrupt(partition, namespaceId, key);
    const { corruptRecordsMax } = this.#options;
    if (this.#promised.size > corruptRecordsMax)
      this.#deps.onTooMany(
        `${this.#promised.size} records of this replica are damaged, and at most ${corruptRecordsMax} may be ` +
          '(storage.corruptRecordsMax): replace its disk, and let the member rejoin with an empty data directory',
      );
  }
}
