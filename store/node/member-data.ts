import { ClusterError } from '../cluster/cluster-admin.ts';
import type { ClusterNode } from '../cluster/cluster-node.ts';
import type { Member } from '../cluster/member.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { KvStore } from '../storage/kv-store.ts';
import type { DataService } from './data-service.ts';

/** `alone`: the only member, which owns everything; `replicated`: one of several, whatever it owns. */
export type DataKind = 'alone' | 'replicated';

/** Between two tries to open the data. */
const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 30_000;

export type MemberDataDeps = {
  readonly clock: Clock;
  readonly node: ClusterNode;
  open(kind: DataKind, member: Member): Promise<DataService>;
  /** What a member serves while no partition is placed. */
  unplaced(member: Member): KvStore;
  onError(error: unknown): void;
};

type Wanted = { readonly kind: DataKind; readonly member: Member };

/**
 * Starts the service of data once the partitions are placed, and ends it when the node is no member any more. Until then
 * a request is refused with the reason; while one service takes over from another, requests wait.
 */
export class MemberData {
  readonly store: KvStore;
  readonly #deps: MemberDataDeps;
  #service: DataService | undefined;
  #wanted: Wanted | undefined;
  #changing: Promise<void> = Promise.resolve();
  #isChanging = false;
  /** Why the data cannot be served though it is here. */
  #failure: unknown;
  #isStopped = false;
  #retry: Timer | undefined;

  constructor(deps: MemberDataDeps) {
    this.#deps = deps;
    this.store = followingStore({
      now: () => this.#serving(),
      waiting: () => (this.#isChanging && this.#service === undefined ? this.#changing : undefined),
    });
  }

  readiness(): { readonly ok: boolean; readonly reason?: string | undefined } {
    if (this.#service !== undefined) return this.#service.readiness();
    try {
      this.#serving();
    } catch (error) {
      return { ok: false, reason: (error as Error).message };
    }
    return { ok: false, reason: 'the partitions are not placed yet' };
  }

  get service(): DataService | undefined {
    return this.#service;
  }

  /** The phase of the node, or the topology, may have changed. */
  follow(): void {
    const wanted = this.#isStopped ? undefined : this.#want();
    if (wanted?.member === this.#wanted?.member && wanted?.kind === this.#wanted?.kind) return;
    this.#wanted = wanted;
    this.#change(wanted, RETRY_MS_MIN);
  }

  #change(wanted: Wanted | undefined, retryMs: number): void {
    this.#isChanging = true;
    this.#changing = this.#changing
      .then(() => this.#become(wanted))
      .catch((error: unknown) => {
        this.#failure = error;
        this.#deps.onError(error);
        this.#retryLater(wanted, retryMs);
      })
      .finally(() => {
        if (wanted === this.#wanted) this.#isChanging = false;
      });
  }

  /** A disk that failed one read, say, must not keep a node from serving for the rest of its life. */
  #retryLater(wanted: Wanted | undefined, retryMs: number): void {
    this.#retry?.cancel();
    this.#retry = this.#deps.clock.setTimer(retryMs, () => {
      if (wanted === this.#wanted && !this.#isStopped)
        this.#change(wanted, Math.min(2 * retryMs, RETRY_MS_MAX));
    });
  }

  /** The first look; rejects where the data is here and cannot be served. */
  async start(): Promise<void> {
    this.follow();
    await this.settled();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves once what `follow` saw is done. */
  async settled(): Promise<void> {
    await this.#changing;
    await this.#service?.settled();
  }

  reap(): Promise<number> {
    return this.#service?.reap() ?? Promise.resolve(0);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#retry?.cancel();
    this.#wanted = undefined;
    await this.#changing;
    await this.#become(undefined);
  }

  /** Once its data is replicated a member does not go back: what others hold of it is nothing it could forget. */
  #want(): Wanted | undefined {
    const { member } = this.#deps.node;
    const state = member?.topology.state;
    if (member === undefined || state === undefined || state.partitions.length === 0) return undefined;
    const isOnly = state.members.size === 1 && state.members.has(member.number);
    const wasReplicated = this.#wanted?.member === member && this.#wanted.kind === 'replicated';
    return { kind: isOnly && !wasReplicated && ownsAll(member) ? 'alone' : 'replicated', member };
  }

  async #become(wanted: Wanted | undefined): Promise<void> {
    const before = this.#service;
    this.#service = undefined;
    await before?.stop();
    if (wanted === undefined || wanted !== this.#wanted) return;
    this.#service = await this.#deps.open(wanted.kind, wanted.member);
    this.#failure = undefined;
  }

  #serving(): KvStore {
    if (this.#service !== undefined) return this.#service.store;
    if (this.#failure !== undefined) throw this.#failure;
    const { phase } = this.#deps.node;
    switch (phase.type) {
      case 'waiting':
      case 'joining':
        throw new ClusterError('CLUSTER_WAITING', `this node is of no cluster yet: ${phase.reason}`);
      case 'excluded':
        throw new ClusterError('MEMBER_EXCLUDED', phase.reason);
      case 'member':
        return this.#deps.unplaced(phase.member);
    }
  }
}

function ownsAll({ topology, number }: Member): boolean {
  const partitions = topology.state?.partitions ?? [];
  return partitions.every(({ replicas }) => replicas.length === 1 && replicas[0] === number);
}

type Serving = {
  /** Throws where nothing serves. */
  now(): KvStore;
  /** What to wait for before asking, if anything. */
  waiting(): Promise<void> | undefined;
};

/** A store whose every call goes to what serves at that time, or fails as that does. */
function followingStore({ now, waiting }: Serving): KvStore {
  const call = <T>(use: (store: KvStore) => Promise<T>): Promise<T> => {
    const wait = waiting();
    if (wait !== undefined) return wait.then(() => use(now()));
    try {
      return use(now());
    } catch (error) {
      return Promise.reject(error);
    }
  };
  return {
    get: (namespace, key, options) => call((store) => store.get(namespace, key, options)),
    put: (namespace, key, write, options) => call((store) => store.put(namespace, key, write, options)),
    delete: (namespace, key, options) => call((store) => store.delete(namespace, key, options)),
    batch: (namespace, operations, options) => call((store) => store.batch(namespace, operations, options)),
    scan: (namespace, query, options) => call((store) => store.scan(namespace, query, options)),
    async *scanAll(namespace, query) {
      await waiting();
      yield* now().scanAll(namespace, query);
    },
    listNamespaces: () => now().listNamespaces(),
    getNamespace: (name) => now().getNamespace(name),
    createNamespace: (name) => call((store) => store.createNamespace(name)),
    deleteNamespace: (name, confirm) => call((store) => store.deleteNamespace(name, confirm)),
  };
}
