import { hashKey } from '../../core/merkle/entry-hash.ts';
import { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import type { TreeShape } from '../../core/merkle/tree-shape.ts';
import { keyName } from '../../storage/key-name.ts';
import { KeyState } from './key-state.ts';
import type { PartitionState } from './partition-state.ts';

export type KeyTableOptions = { readonly idleEntriesMax: number; readonly treeShape: TreeShape };

/** What its data key says of a key beside the partition. */
export type KeyAddress = { readonly namespaceId: number; readonly key: Uint8Array };

export type KeyTableDeps = {
  /** Whether the key is among those whose record is known to be damaged. */
  isDamaged(name: string): boolean;
};

/**
 * The states of keys: of all that are in use, and of those used of late, which a hand that goes round a ring of them tells from the others
 * (the clock algorithm, Corbato 1968): a list in the order of use would be written to at three places for each use. Each partition has
 * its own (`PartitionState.keys`).
 */
export class KeyTable {
  readonly #options: KeyTableOptions;
  readonly #deps: KeyTableDeps;
  /** Only to be asked for leaves. */
  readonly #shape: MerkleTree;
  /** The next one of the ring to be looked at where one has to go. */
  #hand: KeyState | undefined;
  /** States in the ring. */
  #kept = 0;
  #size = 0;

  constructor(options: KeyTableOptions, deps: KeyTableDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#shape = new MerkleTree(options.treeShape);
  }

  get size(): number {
    return this.#size;
  }

  /** The state, if there is one: that was a use of it. */
  find(storedKey: Uint8Array, { keys }: PartitionState): KeyState | undefined {
    const state = keys.get(storedKey, keys.hashOf(storedKey));
    if (state !== undefined) state.isRecent = true;
    return state;
  }

  /** As `acquire`; a state that is made for it is not kept after its use, unless somebody else acquires it meanwhile. */
  acquireOnce(storedKey: Uint8Array, partition: PartitionState, address: KeyAddress): KeyState {
    const sizeBefore = partition.keys.size;
    const state = this.acquire(storedKey, partition, address);
    state.isTransient = partition.keys.size > sizeBefore;
    return state;
  }

  /** Its state, kept until `release`. */
  acquire(storedKey: Uint8Array, partition: PartitionState, address: KeyAddress): KeyState {
    const { keys } = partition;
    const hashInIndex = keys.hashOf(storedKey);
    const found = keys.get(storedKey, hashInIndex);
    if (found !== undefined) {
      found.isTransient = false;
      found.users += 1;
      return found;
    }
    const name = keyName(storedKey);
    const hash = hashKey(address.namespaceId, address.key);
    const leaf = this.#shape.leafOf(hash);
    const state = new KeyState({ name, hashInIndex, partition, hash, leaf });
    state.isKnown = state.isDamaged = this.#deps.isDamaged(name);
    state.users = 1;
    keys.add(state);
    this.#size += 1;
    partition.page?.take(state);
    return state;
  }

  release(state: KeyState): void {
    state.users -= 1;
    if (state.users > 0) return;
    if (state.isForgotten) return;
    if (!state.isKnown || state.isTransient) {
      this.#drop(state);
      return;
    }
    if (state.nextInRing !== undefined) {
      state.isRecent = true;
      return;
    }
    this.#link(state);
    while (this.#kept > this.#options.idleEntriesMax && this.#dropOne());
  }

  /**
   * What the engine holds of the partition changes past this table. Whoever uses one of its states goes on with it; it is nobody
   * else's any more.
   */
  forgetAll(partition: PartitionState): void {
    for (const state of partition.keys.values()) {
      state.isForgotten = true;
      this.#unlink(state);
    }
    this.#size -= partition.keys.size;
    partition.keys.clear();
  }

  /** The first idle one that nobody has used since the hand came by the last time; false while all are in use. */
  #dropOne(): boolean {
    // Once round to look at all, and once more for those that were used since.
    for (let left = 2 * this.#kept; left > 0; left--) {
      const state = this.#hand as KeyState;
      this.#hand = state.nextInRing;
      if (state.users > 0) continue;
      if (!state.isRecent) {
        this.#drop(state);
        return true;
      }
      state.isRecent = false;
    }
    return false;
  }

  #drop(state: KeyState): void {
    this.#unlink(state);
    state.isForgotten = true;
    state.partition.keys.delete(state);
    this.#size -= 1;
  }

  /** Behind the hand: it comes to it last. */
  #link(state: KeyState): void {
    const next = this.#hand ?? state;
    const previous = next.previousInRing ?? state;
    state.previousInRing = previous;
    state.nextInRing = next;
    previous.nextInRing = state;
    next.previousInRing = state;
    this.#hand = next;
    this.#kept += 1;
  }

  /** Does nothing where it is not in the ring. */
  #unlink(state: KeyState): void {
    const { previousInRing: previous, nextInRing: next } = state;
    if (previous === undefined || next === undefined) return;
    previous.nextInRing = next;
    next.previousInRing = previous;
    if (this.#hand === state) this.#hand = next === state ? undefined : next;
    state.previousInRing = undefined;
    state.nextInRing = undefined;
    this.#kept -= 1;
  }
}
