import assert from 'node:assert/strict';
import { systemRandom } from '../../store/io/system-random.ts';
import { SimClock } from '../../store/sim/sim-clock.ts';
import type { KVClusterSpecInput, KVClusterStatus } from '../api/kvcluster.ts';
import { KubeClient } from '../kube/kube-client.ts';
import { plainConnection } from '../kube/kube-connection.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';
import { nodes, persistentVolumeClaims, pods, statefulSets } from '../kube/resources.ts';
import { FakeApiServer } from '../testing/fake-api-server.ts';
import { FakeKubelets } from '../testing/fake-kubelets.ts';
import { ApiFinder } from './api-finder.ts';
import { childResources, kvClusters, type RawCluster } from './kinds.ts';
import { type Cache, cachedView, liveView } from './kube-view.ts';
import { Observer } from './observe.ts';
import { Reconciler } from './reconciler.ts';
import { TestStoreView } from './test-store-view.ts';

const REF = { namespace: 'shop', name: 'kv' };
const KEY = 'shop/kv';
const ROUNDS_MAX = 400;
const STEP_MS = 5000;
const APIS = { podMonitor: false, certificate: false };

export const SPEC = { partitions: 8 };
/** What the verdict on a KVCluster is that is as it is wished. */
export const WELL = ['True Serving', 'False AllWell', 'False AsWished'];

export function verdict(world: ReconcileWorld): readonly string[] {
  return ['Ready', 'Degraded', 'Progressing'].map((type) => world.condition(type));
}

/** A KVCluster of that spec, and of few partitions, that came to rest. */
export async function settled(spec: object = {}, expected = WELL): Promise<ReconcileWorld> {
  const world = await ReconcileWorld.start({ ...SPEC, ...spec });
  await world.settle();
  assert.deepEqual(verdict(world), expected);
  return world;
}

export type Told = { readonly type: string; readonly reason: string; readonly note: string };

/** An API server in memory, controllers and kubelets that take steps, a store, and an operator that can die. */
export class ReconcileWorld implements AsyncDisposable {
  readonly server: FakeApiServer;
  readonly kubelets: FakeKubelets;
  readonly store: TestStoreView;
  readonly told: Told[] = [];
  readonly #client: KubeClient;
  readonly #connection: ReturnType<typeof plainConnection>;
  readonly #clock = new SimClock();
  #reconciler: Reconciler;
  /** Kinds whose cache stands still, as of now. */
  readonly #frozen = new Map<Resource, readonly KubeObject[]>();

  private constructor(server: FakeApiServer) {
    this.server = server;
    this.#connection = plainConnection(server.url);
    const clock = this.#clock;
    this.#client = new KubeClient(
      { fieldManager: 'kvorum-operator' },
      { connection: this.#connection, clock },
    );
    this.kubelets = new FakeKubelets(server, REF);
    this.store = new TestStoreView(this.kubelets, () => clock.nowMs());
    this.#reconciler = this.#operator();
  }

  static async start(spec: KVClusterSpecInput = {}): Promise<ReconcileWorld> {
    const server = await FakeApiServer.start({ resources: [{ ...kvClusters }] });
    const world = new ReconcileWorld(server);
    server.put(kvClusters, { metadata: { ...REF }, spec } as RawCluster);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
    await this.server[Symbol.asyncDispose]();
  }

  get cluster(): RawCluster {
    const found = this.server.get(kvClusters, REF);
    assert.ok(found, 'the KVCluster is gone');
    return found;
  }

  get status(): KVClusterStatus {
    return this.cluster.status ?? {};
  }

  get replicas(): number | undefined {
    return this.server.get(statefulSets, REF)?.spec?.replicas;
  }

  podNames(): readonly string[] {
    return this.server.list(pods).map(({ metadata }) => metadata.name);
  }

  claimNames(): readonly string[] {
    return this.server.list(persistentVolumeClaims).map(({ metadata }) => metadata.name);
  }

  condition(type: string): string {
    const found = this.status.conditions?.find((each) => each.type === type);
    return `${found?.status} ${found?.reason}`;
  }

  wish(change: KVClusterSpecInput): void {
    this.server.change(kvClusters, REF, (cluster) => {
      return { ...cluster, spec: { ...(cluster.spec as object), ...change } };
    });
  }

  /** What belongs to a KVCluster that is not there any more goes, and what belongs to that. */
  collectGarbage(): void {
    const uids = new Set(this.server.list(kvClusters).map(({ metadata }) => metadata.uid));
    for (const resource of [...childResources(APIS), statefulSets])
      for (const { metadata } of this.server.list<KubeObject>(resource as Resource)) {
        const owner = metadata.ownerReferences?.find(({ controller }) => controller)?.uid;
        if (owner !== undefined && !uids.has(owner)) this.server.remove(resource as Resource, metadata);
      }
  }

  /** The one before is gone; the next knows nothing of what it did. */
  restartOperator(): void {
    this.#reconciler = this.#operator();
  }

  /** The cache of a kind hears of nothing any more, or of everything again. */
  freeze(resource: Resource, isFrozen: boolean): void {
    if (isFrozen) this.#frozen.set(resource, this.server.list(resource));
    else this.#frozen.delete(resource);
  }

  async reconcile(): Promise<{ readonly requeueAfterMs?: number }> {
    return await this.#reconciler.reconcile(KEY, new AbortController().signal);
  }

  /** All others take a step. */
  step(): boolean {
    this.#clock.advance(STEP_MS);
    return [this.kubelets.step(), this.store.step()].includes(true);
  }

  /** Until nobody does anything any more. An operator that dies of an error is followed by another one. */
  async settle(until: () => boolean = () => false): Promise<void> {
    let quiet = 0;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const writes = this.server.writes.length;
      const changes = this.store.changes;
      const hasFailed = await this.#reconcileOrDie();
      const hasMoved = this.step();
      const isBusy =
        hasFailed || hasMoved || this.server.writes.length > writes || this.store.changes > changes;
      quiet = isBusy ? 0 : quiet + 1;
      if (until() || quiet > 3) return;
    }
    assert.fail(`not at rest: ${JSON.stringify(this.status.conditions)}`);
  }

  async #reconcileOrDie(): Promise<boolean> {
    try {
      await this.reconcile();
      return false;
    } catch {
      this.restartOperator();
      return true;
    }
  }

  #operator(): Reconciler {
    const client = this.#client;
    const store = this.store;
    const options = { operatorNamespace: 'kvorum-system', canReadNodes: true };
    const apis = new ApiFinder(APIS, { client, clock: this.#clock });
    const observer = new Observer(options, {
      store,
      apis,
      nowMs: () => this.#clock.nowMs(),
      accessOf: async () => ({}),
    });
    const watched: readonly Resource[] = [
      ...[kvClusters, statefulSets, pods, persistentVolumeClaims, nodes],
      ...childResources(APIS),
    ];
    const caches = new Map(watched.map((resource) => [resource, this.#cacheOf(resource)]));
    return new Reconciler({
      observer,
      client,
      store,
      cached: cachedView(caches, liveView(client)),
      random: systemRandom,
      clock: this.#clock,
      mayAct: () => undefined,
      tell: (_, type, reason, note) => void this.told.push({ type, reason, note }),
    });
  }

  #cacheOf(resource: Resource): Cache {
    const all = () => this.#frozen.get(resource) ?? this.server.list(resource);
    return {
      get: ({ namespace, name }) =>
        all().find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
      list: (namespace) =>
        all().filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace),
    };
  }
}
