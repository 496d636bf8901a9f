import { MerkleTree } from '../../core/merkle/merkle-tree.ts';
import { leafShiftOf, type TreeShape } from '../../core/merkle/tree-shape.ts';
import { entryHashOf, type Held } from './held.ts';
import type { KeyState } from './key-state.ts';

/** One attempt to build a tree; another one, or the end of ownership, makes it void. */
export type TreeBuild = {
  /** Takes what the view shows. */
  readonly tree: MerkleTree;
  /** Takes what became durable after the view was opened; its sums may run below zero. */
  readonly since: MerkleTree;
  /** Keys that were changing when the view was opened, and what each durably held then: the view may show either. */
  readonly changing: ReadonlyMap<string, KeyState>;
};

type State =
  /** Nobody keeps a tree: the partition is not owned, or its tree waits to be built from a later view. */
  | { readonly type: 'none' }
  | { readonly type: 'building'; readonly build: TreeBuild }
  | { readonly type: 'ready'; readonly tree: MerkleTree };

/**
 * The tree of one partition over its durable records, those that fail their checksum left out. It is exact because every
 * change of a record is told here in the turn in which it is known to be durable, with what the key held before.
 */
export class PartitionTree {
  readonly #shape: TreeShape;
  #state: State = { type: 'none' };

  constructor(shape: TreeShape) {
    this.#shape = shape;
  }

  get ready(): MerkleTree | undefined {
    return this.#state.type === 'ready' ? this.#state.tree : undefined;
  }

  /** Nobody keeps it, and nobody builds it. */
  get isMissing(): boolean {
    return this.#state.type === 'none';
  }

  update(state: KeyState, before: Held | undefined, after: Held | undefined): void {
    const tree = this.#updated();
    tree?.update(state.hash, entryHashOf(state.hash, before), entryHashOf(state.hash, after));
  }

  /** By the high word of a key's hash. */
  leafOf(keyHigh: number): number {
    return keyHigh >>> leafShiftOf(this.#shape);
  }

  /** As `MerkleTree.insert`. */
  insert(keyHigh: number, entryHigh: number, entryLow: number): void {
    this.#updated()?.insert(keyHigh, entryHigh, entryLow);
  }

  /** Call in the turn in which the view is opened. `changing`: the keys whose changes are under way. */
  begin(changing: Iterable<KeyState>): TreeBuild {
    const tree = new MerkleTree(this.#shape);
    const names = new Map<string, KeyState>();
    for (const state of changing) {
      names.set(state.name, state);
      tree.update(state.hash, undefined, entryHashOf(state.hash, state.durable));
    }
    const build = { tree, since: new MerkleTree(this.#shape), changing: names };
    this.#state = { type: 'building', build };
    return build;
  }

  isCurrent(build: TreeBuild): boolean {
    return this.#state.type === 'building' && this.#state.build === build;
  }

  finish(build: TreeBuild): void {
    if (!this.isCurrent(build)) return;
    build.tree.add(build.since);
    this.become(build.tree);
  }

  become(tree: MerkleTree): void {
    this.#state = { type: 'ready', tree };
  }

  /** Call where the partition holds nothing, and nothing of it is under way. */
  becomeEmpty(): void {
    this.become(new MerkleTree(this.#shape));
  }

  drop(): void {
    this.#state = { type: 'none' };
  }

  #updated(): MerkleTree | undefined {
    switch (this.#state.type) {
      case 'none':
        return undefined;
      case 'building':
        return this.#state.build.since;
      case 'ready':
        return this.#state.tree;
    }
  }
}
