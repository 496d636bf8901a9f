import { hashKey } from '../../core/merkle/entry-hash.ts';
import { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import type { TreeShape } from '../../core/merkle/tree-shape.ts';
import { KeyState } from './key-state.ts';
import type { PartitionState } from './partition-state.ts';

export type KeyTableOptions = { readonly idleEntriesMax: number; readonly treeShape: TreeShape };

/** What its data key says of a key beside the partition. */
export type KeyAddress = { readonly namespaceId: number; readonly key: Uint8Array };

export type KeyTableDeps = {
  /** Whether the key is among those whose record is known to be damaged. */
  isDamaged(name: string): boolean;
};

/** The states of keys: of all that are in use, and of the last used ones. Each partition has its own (`PartitionState.keys`). */
export class KeyTable {
  readonly #options: KeyTableOptions;
  readonly #deps: KeyTableDeps;
  /** Only to be asked for leaves. */
  readonly #shape: MerkleTree;
  #oldest: KeyState | undefined;
  #newest: KeyState | undefined;
  #idle = 0;
  #size = 0;

  constructor(options: KeyTableOptions, deps: KeyTableDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#shape = new MerkleTree(options.treeShape);
  }

  get size(): number {
    return this.#size;
  }

  /** The state, if there is one, now the last used. */
  find(storedKey: Uint8Array, { keys }: PartitionState): KeyState | undefined {
    const state = keys.get(storedKey, keys.hashOf(storedKey));
    if (state !== undefined && state.users === 0 && state !== this.#newest) {
      this.#unlink(state);
      this.#link(state);
    }
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
      if (found.users === 0) this.#unlink(found);
      found.users += 1;
      return found;
    }
    const name = nameOf(storedKey);
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
    this.#link(state);
    while (this.#idle > this.#options.idleEntriesMax) {
      const oldest = this.#oldest as KeyState;
      this.#unlink(oldest);
      this.#drop(oldest);
    }
  }

  /**
   * What the engine holds of the partition changes past this table. Whoever uses one of its states goes on with it; it is nobody
   * else's any more.
   */
  forgetAll(partition: PartitionState): void {
    for (const state of partition.keys.values()) {
      state.isForgotten = true;
      if (state.users === 0) this.#unlink(state);
    }
    this.#size -= partition.keys.size;
    partition.keys.clear();
  }

  #drop(state: KeyState): void {
    state.isForgotten = true;
    state.partition.keys.delete(state);
    this.#size -= 1;
  }

  #link(state: KeyState): void {
    state.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = state;
    else this.#newest.newer = state;
    this.#newest = state;
    this.#idle += 1;
  }

  #unlink(state: KeyState): void {
    if (state.older === undefined) this.#oldest = state.newer;
    else state.older.newer = state.newer;
    if (state.newer === undefined) this.#newest = state.older;
    else state.newer.older = state.older;
    state.older = undefined;
    state.newer = undefined;
    this.#idle -= 1;
  }
}

/** The name of a data key in the table. */
export function nameOf(storedKey: Uint8Array): string {
  return Buffer.from(storedKey.buffer, storedKey.byteOffset, storedKey.byteLength).toString('latin1');
}
