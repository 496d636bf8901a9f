import { ClusterError } from '../cluster/cluster-admin.ts';
import type { ClusterNode } from '../cluster/cluster-node.ts';
import type { Member } from '../cluster/member.ts';
import type { KvStore } from '../storage/kv-store.ts';
import type { DataService } from './data-service.ts';

export type MemberDataDeps = {
  readonly node: ClusterNode;
  open(member: Member): Promise<DataService>;
  /** What a member serves whose data is not here. */
  unplaced(member: Member): KvStore;
  onError(error: unknown): void;
};

/**
 * Starts the service of data once all partitions are placed on this member alone, and ends it when the node is no member
 * any more. Until then, and where the partitions have other owners, a request is refused with the reason.
 */
export class MemberData {
  readonly store: KvStore;
  readonly #deps: MemberDataDeps;
  #service: DataService | undefined;
  #owner: Member | undefined;
  #changing: Promise<void> = Promise.resolve();
  /** Why the data cannot be served though it is here. */
  #failure: unknown;
  #isStopped = false;

  constructor(deps: MemberDataDeps) {
    this.#deps = deps;
    this.store = refusingStore(() => this.#serving());
  }

  /** The phase of the node, or the topology, may have changed. */
  follow(): void {
    const { member } = this.#deps.node;
    const owner = !this.#isStopped && member !== undefined && ownsAll(member) ? member : undefined;
    if (owner === this.#owner) return;
    this.#owner = owner;
    this.#changing = this.#changing
      .then(() => this.#become(owner))
      .catch((error: unknown) => {
        this.#failure = error;
        this.#deps.onError(error);
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
    this.#owner = undefined;
    await this.#changing;
    await this.#become(undefined);
  }

  async #become(owner: Member | undefined): Promise<void> {
    const before = this.#service;
    this.#service = undefined;
    await before?.stop();
    if (owner !== undefined && owner === this.#owner) this.#service = await this.#deps.open(owner);
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
  return (
    partitions.length > 0 &&
    partitions.every(({ replicas }) => replicas.length === 1 && replicas[0] === number)
  );
}

/** A store whose every call goes to what `serving` returns, or fails as that does. */
function refusingStore(serving: () => KvStore): KvStore {
  const call = <T>(use: (store: KvStore) => Promise<T>): Promise<T> => {
    try {
      return use(serving());
    } catch (error) {
      return Promise.reject(error);
    }
  };
  return {
    get: (namespace, key) => call((store) => store.get(namespace, key)),
    put: (namespace, key, write) => call((store) => store.put(namespace, key, write)),
    delete: (namespace, key) => call((store) => store.delete(namespace, key)),
    batch: (namespace, operations) => call((store) => store.batch(namespace, operations)),
    scan: (namespace, query) => call((store) => store.scan(namespace, query)),
    async *scanAll(namespace, query) {
      yield* serving().scanAll(namespace, query);
    },
    listNamespaces: () => serving().listNamespaces(),
    getNamespace: (name) => serving().getNamespace(name),
    createNamespace: (name) => call((store) => store.createNamespace(name)),
    deleteNamespace: (name, confirm) => call((store) => store.deleteNamespace(name, confirm)),
  };
}
