import { NO_PLACE, type Placed } from '../../core/dense-set/dense-set.ts';
import type { Indexed } from '../../core/key-index/key-index.ts';
import type { KeyHash } from '../../core/merkle/entry-hash.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import type { Held } from './held.ts';
import type { PartitionState } from './partition-state.ts';

/** A write or a removal on its way to the disk. */
export type Change = {
  /** What the key holds then; undefined: nothing. */
  readonly after: Held | undefined;
  /** Called once it is durable, or with why it will not be. */
  readonly waiters: ((failure: Error | undefined) => void)[];
  next: Change | undefined;
};

export type KeyStateOptions = Pick<KeyState, 'name' | 'hashInIndex' | 'partition' | 'hash' | 'leaf'>;

/**
 * What is known of one key. Since all writes of records pass here, it stays exact for as long as it is kept: what the
 * engine holds is looked up at most once, before the first write, and changes only as these writes become durable.
 */
export class KeyState implements Indexed<KeyState>, Placed {
  /** The data key as Latin-1. */
  readonly name: string;
  readonly hashInIndex: number;
  nextInIndex: KeyState | undefined;
  readonly partition: PartitionState;
  readonly hash: KeyHash;
  readonly leaf: number;
  /** Requests and writes that need it in memory. */
  users = 0;
  isKnown = false;
  /** The table holds it no more: who comes next gets another one. */
  isForgotten = false;
  /** Only what a move brought has asked for it: it is forgotten after use, and drives nothing out that clients use. */
  isTransient = false;
  /** The stored record fails its checksum: as if it were not there, until it is overwritten. */
  isDamaged = false;
  durable: Held | undefined;
  /** Where its stored record lies in the cache, and of which `Held` it is; only `RecordCache` looks at these. */
  cachedOf: Held | undefined;
  cachedAt = 0;
  cachedLength = 0;
  /** What was issued and is not durable, in the order of the engine. */
  firstChange: Change | undefined;
  lastChange: Change | undefined;
  /** Of `PartitionState.changing`. */
  place = NO_PLACE;
  /** Those who wait for the look-up in the engine. */
  loading: LoadWaiter[] | undefined;
  /** Its neighbours in the table's ring, where it is in it. */
  previousInRing: KeyState | undefined;
  nextInRing: KeyState | undefined;
  /** Used since the table's hand last came by. */
  isRecent = false;

  constructor({ name, hashInIndex, partition, hash, leaf }: KeyStateOptions) {
    this.name = name;
    this.hashInIndex = hashInIndex;
    this.partition = partition;
    this.hash = hash;
    this.leaf = leaf;
  }

  /** What the key will hold when everything that was issued is durable. */
  get newest(): Held | undefined {
    return this.lastChange === undefined ? this.durable : this.lastChange.after;
  }

  get isChanging(): boolean {
    return this.firstChange !== undefined;
  }

  /** The first change after which the key holds `version` or a newer one. */
  changeTo(version: Version): Change | undefined {
    let change = this.firstChange;
    while (change !== undefined && !reaches(change, version)) change = change.next;
    return change;
  }

  push(change: Change): void {
    if (this.lastChange === undefined) this.firstChange = change;
    else this.lastChange.next = change;
    this.lastChange = change;
  }

  shift(): Change {
    const change = this.firstChange;
    if (change === undefined) throw new Error('no change of this key is under way');
    this.firstChange = change.next;
    if (change.next === undefined) this.lastChange = undefined;
    return change;
  }
}

/** `stored` is what the engine answered, where it did. */
export type LoadWaiter = (failure: Error | undefined, stored: Uint8Array | undefined) => void;

function reaches(change: Change, version: Version): boolean {
  return change.after !== undefined && compareVersions(change.after.version, version) >= 0;
}
