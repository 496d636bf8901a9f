import { addressOf, memberAddress, type NodeAddress } from './node-address.ts';
import { NodeHandle } from './node-handle.ts';
import { ownersOf, type PartitionMap } from './partition-map.ts';

/** What of a request decides where it goes. */
export type Way = {
  readonly isRead: boolean;
  /** It is about this key: an owner saves a hop. */
  readonly key?: Uint8Array;
  /** Any node does as well as any other: such requests are spread. Else the first of the given URLs answers, if it can. */
  readonly isSpread?: boolean;
  /** It asks a node who it is: only such requests go to nodes that have not shown it. */
  readonly isProof?: boolean;
};

type Deps = { readonly nowMs: () => number; readonly random: () => number };

type Member = { readonly node: NodeHandle; readonly isUp: boolean };

/** Which nodes there are, and in which order they are asked. Any node takes any request. */
export class Router {
  readonly #given: readonly NodeHandle[];
  readonly #handles = new Map<string, NodeHandle>();
  readonly #deps: Deps;
  #ring: PartitionMap | undefined;
  #members = new Map<number, Member>();

  constructor(urls: readonly string[], deps: Deps) {
    if (urls.length === 0) throw new TypeError('a client needs the URL of a node');
    this.#given = [...new Set(urls.map((url) => this.#handleOf(addressOf(url), true)))];
    this.#deps = deps;
  }

  /** Behind a path there is a proxy, and the addresses of the members are likely not to be reached from here. */
  get isBehindProxy(): boolean {
    return this.#given.some(({ address }) => address.pathPrefix !== '');
  }

  /** Takes the map that `asked` told. Handles of addresses that stay keep what is known of them. */
  learn(ring: PartitionMap, asked: NodeAddress): void {
    const members = new Map<number, Member>();
    for (const { number, httpAddress, isUp } of ring.members) {
      const address = memberAddress(httpAddress, asked);
      if (address !== undefined) members.set(number, { node: this.#handleOf(address, false), isUp });
    }
    this.#ring = ring;
    this.#members = members;
    this.#forgetUnused();
  }

  /** Members that have not shown that they are there; also those that are down as the map says: it may be late. */
  unproven(): readonly NodeHandle[] {
    return [...this.#members.values()].map(({ node }) => node).filter((node) => !node.isProven);
  }

  /** The nodes to ask, the best one first: owners, other members, given URLs, members that are down; each kind the well ones first. */
  candidates(way: Way): readonly NodeHandle[] {
    const owners = this.#ownersFor(way);
    const members = this.#shuffled([...this.#members.values()]);
    const up = members.filter(({ isUp }) => isUp).map(({ node }) => node);
    const down = members.filter(({ isUp }) => !isUp).map(({ node }) => node);
    const isAnywhere = way.key !== undefined || way.isSpread === true;
    const given = isAnywhere ? this.#rotated(this.#given) : this.#given;
    const kinds = isAnywhere ? [...owners, ...up, ...given, ...down] : [...given, ...up, ...down];
    const nodes = [...new Set(kinds)];
    const proven = nodes.filter((node) => node.isProven);
    const unproven = way.isProof === true ? nodes.filter((node) => !node.isProven) : [];
    return [...this.#wellFirst(proven), ...this.#wellFirst(unproven)];
  }

  /** Reads go to any owner, writes to the primary, which has the version of the key at hand; primaries are balanced. */
  #ownersFor({ key, isRead }: Way): readonly NodeHandle[] {
    if (key === undefined || this.#ring === undefined) return [];
    const owners = ownersOf(this.#ring, key)
      .map((number) => this.#members.get(number))
      .filter((member) => member?.isUp === true)
      .map((member) => member!.node);
    return isRead ? this.#rotated(owners) : owners;
  }

  #wellFirst(nodes: readonly NodeHandle[]): readonly NodeHandle[] {
    const nowMs = this.#deps.nowMs();
    const avoided = nodes.filter((node) => node.isAvoided(nowMs));
    if (avoided.length === 0) return nodes;
    avoided.sort((a, b) => a.avoidUntilMs - b.avoidUntilMs);
    return [...nodes.filter((node) => !node.isAvoided(nowMs)), ...avoided];
  }

  #rotated<T>(items: readonly T[]): readonly T[] {
    if (items.length < 2) return items;
    const first = Math.floor(this.#deps.random() * items.length);
    return [...items.slice(first), ...items.slice(0, first)];
  }

  #shuffled<T>(items: readonly T[]): readonly T[] {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = Math.floor(this.#deps.random() * (i + 1));
      [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
    }
    return shuffled;
  }

  #handleOf(address: NodeAddress, isGiven: boolean): NodeHandle {
    const name = address.origin + address.pathPrefix;
    const known = this.#handles.get(name);
    if (known !== undefined) return known;
    const made = new NodeHandle(address, { isGiven });
    this.#handles.set(name, made);
    return made;
  }

  #forgetUnused(): void {
    const used = new Set([...this.#given, ...[...this.#members.values()].map(({ node }) => node)]);
    for (const [name, handle] of this.#handles) if (!used.has(handle)) this.#handles.delete(name);
  }
}
