import { compareBytes } from '../bytes/bytes.ts';

/**
 * An immutable ordered map from byte strings to byte strings: every change returns a new map that shares what it
 * did not touch, so keeping an old one is a snapshot. It is a treap (Seidel, Aragon 1996) whose priorities are a
 * hash of the key: O(log n) expected, and the same entries always make the same tree.
 */
export type SortedMap = { readonly root: Node | undefined };

export type SortedEntry = { readonly key: Uint8Array; readonly value: Uint8Array };

type Node = SortedEntry & {
  readonly priority: number;
  readonly left: Node | undefined;
  readonly right: Node | undefined;
};
type Tree = Node | undefined;

export const EMPTY_MAP: SortedMap = { root: undefined };

export function mapGet(map: SortedMap, key: Uint8Array): Uint8Array | undefined {
  let node = map.root;
  while (node !== undefined) {
    const order = compareBytes(key, node.key);
    if (order === 0) return node.value;
    node = order < 0 ? node.left : node.right;
  }
  return undefined;
}

/** The map with `key` set to `value`; it keeps both, so the caller must not change them afterwards. */
export function mapPut(map: SortedMap, key: Uint8Array, value: Uint8Array): SortedMap {
  return { root: put(map.root, { key, value, priority: hash(key), left: undefined, right: undefined }) };
}

export function mapDelete(map: SortedMap, key: Uint8Array): SortedMap {
  return { root: remove(map.root, key) };
}

/** The map without start <= key < end. */
export function mapDeleteRange(map: SortedMap, start: Uint8Array, end: Uint8Array): SortedMap {
  if (compareBytes(start, end) >= 0) return map;
  const [below, rest] = split(map.root, start);
  const [, above] = split(rest, end);
  return { root: merge(below, above) };
}

/** The entries of start <= key < end in order, or in reverse order. */
export function* mapEntries(
  map: SortedMap,
  start: Uint8Array,
  end: Uint8Array,
  reverse: boolean,
): Generator<SortedEntry> {
  const path: Node[] = [];
  const descend = (from: Tree): void => {
    let node = from;
    while (node !== undefined) {
      const isWanted = reverse ? compareBytes(node.key, end) < 0 : compareBytes(node.key, start) >= 0;
      if (isWanted) path.push(node);
      node = isWanted === reverse ? node.right : node.left;
    }
  };
  descend(map.root);
  for (let node = path.pop(); node !== undefined; node = path.pop()) {
    const isPast = reverse ? compareBytes(node.key, start) < 0 : compareBytes(node.key, end) >= 0;
    if (isPast) return;
    yield node;
    descend(reverse ? node.left : node.right);
  }
}

function put(tree: Tree, node: Node): Node {
  if (tree === undefined) return node;
  const order = compareBytes(node.key, tree.key);
  if (order === 0) return { ...tree, key: node.key, value: node.value };
  if (isAbove(node, tree)) {
    const [left, right] = split(tree, node.key);
    return { ...node, left, right };
  }
  return order < 0 ? { ...tree, left: put(tree.left, node) } : { ...tree, right: put(tree.right, node) };
}

function remove(tree: Tree, key: Uint8Array): Tree {
  if (tree === undefined) return undefined;
  const order = compareBytes(key, tree.key);
  if (order === 0) return merge(tree.left, tree.right);
  const child = order < 0 ? tree.left : tree.right;
  const rest = remove(child, key);
  if (rest === child) return tree;
  return order < 0 ? { ...tree, left: rest } : { ...tree, right: rest };
}

/** What sorts below `key`, and the rest. */
function split(tree: Tree, key: Uint8Array): [Tree, Tree] {
  if (tree === undefined) return [undefined, undefined];
  if (compareBytes(tree.key, key) < 0) {
    const [left, right] = split(tree.right, key);
    return [{ ...tree, right: left }, right];
  }
  const [left, right] = split(tree.left, key);
  return [left, { ...tree, left: right }];
}

/** Joins two trees of which all of `left` sorts below all of `right`. */
function merge(left: Tree, right: Tree): Tree {
  if (left === undefined) return right;
  if (right === undefined) return left;
  if (isAbove(left, right)) return { ...left, right: merge(left.right, right) };
  return { ...right, left: merge(left, right.left) };
}

function isAbove(a: Node, b: Node): boolean {
  return a.priority !== b.priority ? a.priority > b.priority : compareBytes(a.key, b.key) < 0;
}

/** FNV-1a, then murmur3's finalizer, since keys that count up differ only in their last bytes. */
function hash(key: Uint8Array): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) state = Math.imul(state ^ (key[i] as number), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
