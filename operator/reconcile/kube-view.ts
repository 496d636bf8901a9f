import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject, ObjectRef, Resource } from '../kube/resource.ts';

/** Where an observation reads from: caches say whether there is something to do, the API server what. */
export type KubeView = {
  get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): Promise<T | undefined>;
  /** Of a namespace. Without a selector all of them, whatever their labels say. */
  list<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string | undefined,
    labels?: Readonly<Record<string, string>>,
  ): Promise<readonly T[]>;
};

/** The newest there is. */
export function liveView(client: KubeClient, signal?: AbortSignal): KubeView {
  return {
    get: (resource, ref) => client.get(resource, ref, signal),
    list: async (resource, namespace, labels = {}) => {
      const texts = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
      const labelSelector = texts.length === 0 ? undefined : texts.join(',');
      return (await client.list(resource, { namespace, labelSelector }, signal)).items;
    },
  };
}

/** The part of an informer that is read. */
export type Cache = {
  get(ref: ObjectRef): KubeObject | undefined;
  list(namespace?: string): readonly KubeObject[];
};

/** What is watched comes from memory; other kinds are asked for. */
export function cachedView(caches: ReadonlyMap<Resource, Cache>, other: KubeView): KubeView {
  return {
    get: async <T extends KubeObject>(resource: Resource<T>, ref: ObjectRef) => {
      const cache = caches.get(resource);
      return cache === undefined ? await other.get(resource, ref) : (cache.get(ref) as T | undefined);
    },
    list: async <T extends KubeObject>(
      resource: Resource<T>,
      namespace: string | undefined,
      labels: Readonly<Record<string, string>> = {},
    ) => {
      const cache = caches.get(resource);
      if (cache === undefined) return await other.list(resource, namespace, labels);
      return (cache.list(namespace) as readonly T[]).filter((object) => hasLabels(object, labels));
    },
  };
}

function hasLabels({ metadata }: KubeObject, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => metadata.labels?.[name] === value);
}
