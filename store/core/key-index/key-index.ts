import { type HashSeed, halfSipHash } from './half-sip-hash.ts';

/** What an index holds. The last two fields are the index's: nobody else writes them. */
export type Indexed<Entry> = {
  /** The key, one character for each byte. */
  readonly name: string;
  /** The hash of the key. */
  readonly hashInIndex: number;
  nextInIndex: Entry | undefined;
};

const BUCKETS_MIN = 8;

/**
 * Entries by a key of bytes, in buckets that are linked lists (Knuth, TAOCP 3, 6.4 "separate chaining"). A Map would want a string
 * for each look-up, and V8 notes each such string in a table of its own: that took more than half of the time of a look-up.
 * There are never fewer buckets than entries at the peak: it grows and does not shrink.
 */
export class KeyIndex<Entry extends Indexed<Entry>> {
  readonly #seed: HashSeed;
  #buckets: (Entry | undefined)[] = emptyBuckets(BUCKETS_MIN);
  #size = 0;

  constructor(seed: HashSeed) {
    this.#seed = seed;
  }

  get size(): number {
    return this.#size;
  }

  hashOf(key: Uint8Array): number {
    return halfSipHash(this.#seed, key);
  }

  /** `hash` is `hashOf(key)`. */
  get(key: Uint8Array, hash: number): Entry | undefined {
    let entry = this.#buckets[this.#bucketOf(hash)];
    while (entry !== undefined && !(entry.hashInIndex === hash && isNamed(entry.name, key)))
      entry = entry.nextInIndex;
    return entry;
  }

  /** Its key must not be here yet. */
  add(entry: Entry): void {
    if (this.#size === this.#buckets.length) this.#grow();
    this.#size += 1;
    this.#link(entry);
  }

  /** False where this very entry was not here. */
  delete(entry: Entry): boolean {
    const bucket = this.#bucketOf(entry.hashInIndex);
    let before: Entry | undefined;
    let found = this.#buckets[bucket];
    while (found !== undefined && found !== entry) {
      before = found;
      found = found.nextInIndex;
    }
    if (found === undefined) return false;
    if (before === undefined) this.#buckets[bucket] = entry.nextInIndex;
    else before.nextInIndex = entry.nextInIndex;
    entry.nextInIndex = undefined;
    this.#size -= 1;
    return true;
  }

  clear(): void {
    this.#buckets = emptyBuckets(BUCKETS_MIN);
    this.#size = 0;
  }

  /** In no order; the entry that was given last may be deleted. */
  *values(): Generator<Entry, void, void> {
    for (const first of this.#buckets) {
      let entry = first;
      while (entry !== undefined) {
        const next: Entry | undefined = entry.nextInIndex;
        yield entry;
        entry = next;
      }
    }
  }

  #bucketOf(hash: number): number {
    return hash & (this.#buckets.length - 1);
  }

  #link(entry: Entry): void {
    const bucket = this.#bucketOf(entry.hashInIndex);
    entry.nextInIndex = this.#buckets[bucket];
    this.#buckets[bucket] = entry;
  }

  #grow(): void {
    const old = this.#buckets;
    this.#buckets = emptyBuckets(2 * old.length);
    for (const first of old) {
      let entry = first;
      while (entry !== undefined) {
        const next = entry.nextInIndex;
        this.#link(entry);
        entry = next;
      }
    }
  }
}

function emptyBuckets<Entry>(count: number): (Entry | undefined)[] {
  return new Array<Entry | undefined>(count).fill(undefined);
}

/** From the end: keys that lie near each other begin alike. */
function isNamed(name: string, key: Uint8Array): boolean {
  if (name.length !== key.length) return false;
  for (let at = key.length - 1; at >= 0; at--) if (name.charCodeAt(at) !== key[at]) return false;
  return true;
}
