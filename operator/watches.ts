import { Informer, type InformerDeps } from './kube/informer.ts';
import type { KubeClient } from './kube/kube-client.ts';
import { isNotFound, KubeError } from './kube/kube-error.ts';
import { type KubeObject, keyOf, type Resource } from './kube/resource.ts';
import { nodes, persistentVolumeClaims, pods, statefulSets } from './kube/resources.ts';
import {
  certificates,
  childResources,
  kvClusters,
  type OptionalApis,
  podMonitors,
} from './reconcile/kinds.ts';
import type { Cache } from './reconcile/kube-view.ts';

const INSTANCE_LABEL = 'app.kubernetes.io/instance';
/** Of everything that an operator makes; of other pods nothing is kept in memory. */
const LABEL_SELECTOR = 'app.kubernetes.io/name=kvorum,app.kubernetes.io/component=store';

export type WatchOptions = {
  /** Undefined for all of them. */
  readonly namespaces: readonly string[] | undefined;
  readonly apis: OptionalApis;
  readonly canReadNodes: boolean;
};

/** What is watched, and which KVCluster an event is about: events only say that somebody should look. */
export class Watches {
  readonly #caches = new Map<Resource, Cache>();
  readonly #informers: Informer<KubeObject>[] = [];
  readonly #options: WatchOptions;
  readonly #deps: InformerDeps;
  readonly #wake: (key: string) => void;
  #isStarted = false;

  constructor(options: WatchOptions, deps: InformerDeps, wake: (key: string) => void) {
    this.#options = options;
    this.#deps = deps;
    this.#wake = wake;
    const { namespaces, apis, canReadNodes } = options;
    this.#add(kvClusters, { namespaces }).onEvent(({ object }) => wake(keyOf(object)));
    for (const resource of [statefulSets, pods, persistentVolumeClaims, ...childResources(apis)])
      this.watch(resource);
    if (canReadNodes) this.#add(nodes, {});
  }

  get caches(): ReadonlyMap<Resource, Cache> {
    return this.#caches;
  }

  /** One more kind of what belongs to KVClusters: at the beginning, or when it is there at last. */
  watch(resource: Resource): void {
    if (this.#caches.has(resource)) return;
    const { namespaces } = this.#options;
    const added = this.#add(resource, { namespaces, labelSelector: LABEL_SELECTOR });
    added.onEvent(({ object }) => {
      const key = clusterKey(object);
      if (key !== undefined) this.#wake(key);
    });
    if (this.#isStarted) added.start();
  }

  #add(resource: Resource, options: InformerScope): Informer<KubeObject> {
    const added = new Informer<KubeObject>(resource, options, this.#deps);
    this.#informers.push(added);
    this.#caches.set(resource, added);
    return added;
  }

  start(): void {
    this.#isStarted = true;
    for (const each of this.#informers) each.start();
  }

  get isSynced(): boolean {
    return this.#informers.every(({ isSynced }) => isSynced);
  }

  /** Everything was listed once. */
  async synced(): Promise<void> {
    await Promise.all(this.#informers.map((each) => each.synced()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#informers.map((each) => each.stop()));
  }
}

type InformerScope = {
  readonly namespaces?: readonly string[] | undefined;
  readonly labelSelector?: string;
};

function clusterKey({ metadata }: KubeObject): string | undefined {
  const instance = metadata.labels?.[INSTANCE_LABEL];
  return instance === undefined ? undefined : `${metadata.namespace}/${instance}`;
}

/** What this Kubernetes has, and what the operator may see of it. */
export async function findAbilities(
  client: KubeClient,
): Promise<{ readonly apis: OptionalApis; readonly canReadNodes: boolean }> {
  const [podMonitor, certificate, canReadNodes] = await Promise.all([
    client.serves(podMonitors),
    client.serves(certificates),
    mayList(client, nodes),
  ]);
  return { apis: { podMonitor, certificate }, canReadNodes };
}

async function mayList(client: KubeClient, resource: Resource): Promise<boolean> {
  try {
    await client.list(resource);
    return true;
  } catch (error) {
    if (isNotFound(error) || (error instanceof KubeError && error.status === 403)) return false;
    throw error;
  }
}
