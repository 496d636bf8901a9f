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
  readonly caches: ReadonlyMap<Resource, Cache>;
  readonly #informers: readonly Informer<KubeObject>[];

  constructor(options: WatchOptions, deps: InformerDeps, wake: (key: string) => void) {
    const { namespaces, apis, canReadNodes } = options;
    const clusters = informer(kvClusters, { namespaces }, deps);
    const own: readonly Resource[] = [statefulSets, pods, persistentVolumeClaims, ...childResources(apis)];
    const labelled = own.map((resource) => {
      return { resource, informer: informer(resource, { namespaces, labelSelector: LABEL_SELECTOR }, deps) };
    });
    const all = [{ resource: kvClusters as Resource, informer: clusters }, ...labelled];
    if (canReadNodes) all.push({ resource: nodes, informer: informer(nodes, {}, deps) });
    this.caches = new Map(all.map((each) => [each.resource, each.informer]));
    this.#informers = all.map((each) => each.informer);
    clusters.onEvent(({ object }) => wake(keyOf(object)));
    for (const { informer: each } of labelled)
      each.onEvent(({ object }) => {
        const key = clusterKey(object);
        if (key !== undefined) wake(key);
      });
  }

  start(): void {
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

function informer(
  resource: Resource,
  options: { readonly namespaces?: readonly string[] | undefined; readonly labelSelector?: string },
  deps: InformerDeps,
): Informer<KubeObject> {
  return new Informer<KubeObject>(resource, options, deps);
}

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
