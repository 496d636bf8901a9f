import { compareBytes } from '../../core/bytes/bytes.ts';
import { keyAt, valueAt } from '../../storage/packed-entries.ts';
import { decodeHeld } from './held.ts';
import type { Change, KeyState } from './key-state.ts';
import type { KeyTable } from './key-table.ts';
import type { PartitionState } from './partition-state.ts';
import { addressOf } from './ranges.ts';
import { type FreshPage, HASH_WORDS } from './read-fresh-page.ts';

/**
 * A page of the bulk on its way to the disk, into a partition that held nothing under its keys. Thousands of keys that nobody asks for
 * need no states in memory: whoever does ask for one meanwhile gets a state that knows of the page (`take`).
 */
export class PageUnderWay {
  readonly partition: PartitionState;
  readonly #page: FreshPage;
  readonly #table: KeyTable;
  /** By their places in the page. */
  readonly #taken = new Map<number, { readonly state: KeyState; readonly change: Change }>();

  constructor(partition: PartitionState, page: FreshPage, deps: { readonly table: KeyTable }) {
    this.partition = partition;
    this.#page = page;
    this.#table = deps.table;
  }

  /** The states that know of the page, and its change of each. */
  get taken(): Iterable<{ readonly state: KeyState; readonly change: Change }> {
    return this.#taken.values();
  }

  /** `state` is new in the table: if the page writes its key, that is a change of it which is under way. */
  take(state: KeyState): void {
    const place = this.#placeOf(Buffer.from(state.name, 'latin1'));
    if (place < 0 || this.#taken.has(place)) return;
    const { page } = this.#page;
    const after = decodeHeld(keyAt(page, place), valueAt(page, place));
    const change: Change = { after, waiters: [], next: undefined };
    this.#taken.set(place, { state, change });
    state.isKnown = true;
    state.users += 1;
    state.push(change);
    this.partition.changing.add(state);
  }

  /** Makes states for all keys: for whoever has to know what is changing. */
  takeAll(): void {
    const { page } = this.#page;
    for (let place = 0; place < page.count; place++) {
      const storedKey = keyAt(page, place);
      this.#table.release(this.#table.acquire(storedKey, this.partition, addressOf(storedKey)));
    }
  }

  /** Adds to the partition's tree what nobody has a state of. Call in the turn in which the page is known to be durable. */
  addToTree(): void {
    const { hashes, page } = this.#page;
    const { tree } = this.partition;
    for (let place = 0; place < page.count; place++) {
      const at = HASH_WORDS * place;
      if (this.#taken.size === 0 || !this.#taken.has(place))
        tree.insert(hashes[at] as number, hashes[at + 1] as number, hashes[at + 2] as number);
    }
  }

  hasLeaf(leaf: number): boolean {
    const { hashes } = this.#page;
    for (let at = 0; at < hashes.length; at += HASH_WORDS)
      if (this.partition.tree.leafOf(hashes[at] as number) === leaf) return true;
    return false;
  }

  /** -1: the page has no such key. */
  #placeOf(storedKey: Uint8Array): number {
    const { page } = this.#page;
    let [low, high] = [0, page.count - 1];
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order = compareBytes(keyAt(page, middle), storedKey);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
