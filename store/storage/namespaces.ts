import type { TopologyNamespace } from '../core/topology/types.ts';
import type { Engine } from './engine.ts';
import { KvError } from './errors.ts';
import { dataRange } from './key-layout.ts';
import type { Namespace } from './kv-store.ts';
import type { MetaStore } from './meta-store.ts';

/**
 * The namespaces that this node serves: those of the topology, each once it is noted on the disk that there may be data of
 * it here. What the topology dropped is not served from the turn in which this node learns of it; its data is deleted
 * then, or at the next start.
 */
export type Namespaces = {
  list(): readonly Namespace[];
  get(name: string): Namespace | undefined;
  /** Throws KvError NAMESPACE_NOT_FOUND. */
  require(name: string): Namespace;
  create(name: string): Promise<{ readonly namespace: Namespace; readonly created: boolean }>;
  /** Throws KvError NAMESPACE_NOT_FOUND where it was dropped already, also if there is a new one of that name. */
  drop(namespace: Namespace): Promise<void>;
  /** Resolves once what the topology asked for so far is done. */
  settled(): Promise<void>;
  close(): void;
};

/** What a replica asks of namespaces, for each request. */
export type NamespaceStates = {
  /** `unknown`: not given out yet, or not noted on the disk yet, as far as this node has applied. */
  stateOf(id: number): NamespaceState;
};

export type NamespaceState = 'served' | 'dropped' | 'unknown';

/** The part of the topology that namespaces follow. */
export type NamespaceTopology = {
  namespaces(): ReadonlyMap<string, TopologyNamespace>;
  /** Ids from here on are not given out yet, as far as this node has applied. */
  nextId(): number;
  /** Resolves once it is committed and applied here. */
  create(name: string): Promise<void>;
  drop(name: string, id: number): Promise<void>;
  onChange(listener: () => void): () => void;
};

export type NamespaceOptions = { readonly partitions: number; readonly namespacesMax: number };

type NamespaceDeps = {
  readonly engine: Engine;
  readonly meta: MetaStore;
  readonly topology: NamespaceTopology;
  /** Deletes all data of a dropped namespace, durably; where nothing is said, by range, index entries left behind. */
  deleteData?(namespaceId: number): Promise<void>;
  /** Which namespaces are served has changed; called in that turn. */
  onServed?(): void;
  /** The disk failed while following the topology; whatever is missing is done at the next change or start. */
  onError(error: unknown): void;
};

/** Ids whose data may be on this disk. */
const HELD = 'namespaces-held';

export async function openNamespaces(
  options: NamespaceOptions,
  deps: NamespaceDeps,
): Promise<Namespaces & NamespaceStates> {
  const { meta } = deps;
  const held = ((await meta.read(HELD)) as { ids: number[] } | undefined)?.ids ?? [];
  const namespaces = new FollowedNamespaces(options, deps, held);
  await namespaces.follow();
  return namespaces;
}

class FollowedNamespaces implements Namespaces, NamespaceStates {
  readonly #options: NamespaceOptions;
  readonly #deps: NamespaceDeps;
  readonly #served = new Map<string, Namespace>();
  readonly #servedIds = new Set<number>();
  /** Ids that are being dropped from here: no longer served, though the topology has them yet. */
  readonly #dropping = new Set<number>();
  readonly #forget: () => void;
  #held: Set<number>;
  #following: Promise<void> = Promise.resolve();
  #changing: Promise<unknown> = Promise.resolve();
  /** Ids whose data is being deleted, one after the other, beside everything else: it may be the most of a disk. */
  readonly #deleting = new Set<number>();
  #deletions: Promise<void> = Promise.resolve();

  constructor(options: NamespaceOptions, deps: NamespaceDeps, held: readonly number[]) {
    this.#options = options;
    this.#deps = deps;
    this.#held = new Set(held);
    this.#forget = deps.topology.onChange(() => {
      this.#withdraw();
      this.follow().catch(deps.onError);
    });
  }

  list(): readonly Namespace[] {
    return [...this.#served.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): Namespace | undefined {
    return this.#served.get(name);
  }

  require(name: string): Namespace {
    const namespace = this.#served.get(name);
    if (namespace === undefined) throw notFound(name);
    return namespace;
  }

  stateOf(id: number): NamespaceState {
    if (this.#servedIds.has(id)) return 'served';
    const { topology } = this.#deps;
    if (id >= topology.nextId()) return 'unknown';
    const isWanted = topology
      .namespaces()
      .values()
      .some((namespace) => namespace.id === id);
    return isWanted && !this.#dropping.has(id) ? 'unknown' : 'dropped';
  }

  create(name: string): Promise<{ readonly namespace: Namespace; readonly created: boolean }> {
    return this.#change(async () => {
      const { topology } = this.#deps;
      const known = topology.namespaces();
      const created = !known.has(name);
      if (created && known.size >= this.#options.namespacesMax) throw tooMany(this.#options.namespacesMax);
      if (created) await topology.create(name);
      await this.follow();
      return { namespace: this.require(name), created };
    });
  }

  /** Not served from the turn of the call on, so that no write comes between what the caller saw and the drop. */
  async drop(namespace: Namespace): Promise<void> {
    const { name, id } = namespace;
    if (this.#served.get(name) !== namespace) throw notFound(name);
    this.#end(namespace);
    this.#dropping.add(id);
    await this.#change(async () => {
      try {
        await this.#deps.topology.drop(name, id);
      } finally {
        this.#dropping.delete(id);
        await this.follow();
      }
    });
    await this.#deletions;
  }

  async settled(): Promise<void> {
    await this.#following;
    await this.#deletions;
  }

  close(): void {
    this.#forget();
  }

  /** Brings disk and service to what the topology says; one run at a time, each with the newest topology. */
  follow(): Promise<void> {
    const run = this.#following.then(() => this.#follow());
    this.#following = run.catch(() => {});
    return run;
  }

  /** One change at a time, so that the limit holds and a name is free again before it is given anew. */
  #change<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(change);
    this.#changing = result.catch(() => {});
    return result;
  }

  /** Ends the service of what was dropped in the turn in which it is known. */
  #withdraw(): void {
    const wanted = this.#deps.topology.namespaces();
    for (const namespace of this.#served.values())
      if (wanted.get(namespace.name)?.id !== namespace.id) this.#end(namespace);
  }

  #begin(namespace: Namespace): void {
    this.#served.set(namespace.name, namespace);
    this.#servedIds.add(namespace.id);
    this.#deps.onServed?.();
  }

  #end({ name, id }: Namespace): void {
    this.#served.delete(name);
    this.#servedIds.delete(id);
    this.#deps.onServed?.();
  }

  async #follow(): Promise<void> {
    this.#withdraw();
    const { topology } = this.#deps;
    const wanted = [...topology.namespaces().values()];
    // After a restart the log is applied again: what this node held before may not have been created yet.
    const nextId = topology.nextId();
    const ids = new Set(wanted.map(({ id }) => id));
    if (wanted.some(({ id }) => !this.#held.has(id))) await this.#hold(new Set([...this.#held, ...ids]));
    const known = topology.namespaces();
    for (const namespace of wanted) {
      const isServed = this.#served.get(namespace.name)?.id === namespace.id;
      const isWanted = known.get(namespace.name)?.id === namespace.id && !this.#dropping.has(namespace.id);
      if (!isServed && isWanted) this.#begin(namespace);
    }
    for (const id of this.#held)
      if (!ids.has(id) && id < nextId && !this.#deleting.has(id)) this.#beginDeletion(id);
  }

  #beginDeletion(id: number): void {
    this.#deleting.add(id);
    this.#deletions = this.#deletions
      .then(() => this.#delete(id))
      .then(() => this.#release(id))
      .catch(this.#deps.onError)
      .finally(() => this.#deleting.delete(id));
  }

  #delete(id: number): Promise<void> {
    const { deleteData, engine } = this.#deps;
    return deleteData?.(id) ?? deleteByRange(engine, this.#options.partitions, id);
  }

  /** There is no data of it any more. In line with `follow`, which changes the same fact. */
  #release(id: number): Promise<void> {
    const run = this.#following.then(() =>
      this.#hold(new Set([...this.#held].filter((held) => held !== id))),
    );
    this.#following = run.catch(() => {});
    return run;
  }

  async #hold(ids: Set<number>): Promise<void> {
    await this.#deps.meta.write(HELD, { ids: [...ids] });
    this.#held = ids;
  }
}

async function deleteByRange(engine: Engine, partitions: number, namespaceId: number): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    const range = dataRange(partition, namespaceId, undefined, undefined);
    await engine.write([{ type: 'delete-range', ...range }], { sync: true });
  }
}

function notFound(name: string): KvError {
  return new KvError('NAMESPACE_NOT_FOUND', `there is no namespace '${name}'`, { namespace: name });
}

function tooMany(namespacesMax: number): KvError {
  return new KvError('NAMESPACE_LIMIT', `there are ${namespacesMax} namespaces, the most that are allowed`, {
    namespacesMax,
  });
}
