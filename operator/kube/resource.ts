import type { V1ObjectMeta } from '@kubernetes/client-node';

/**
 * What a class of @kubernetes/client-node looks like as JSON: times are text, lists and fields are read-only, and
 * names that its generator had to escape (`_from`) are the API's own again. Only its types are used for objects.
 */
export type Wire<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [Key in keyof T as Key extends `_${infer Name}` ? Name : Key]: Wire<T[Key]> }
      : T;

export type ObjectMeta = Wire<Omit<V1ObjectMeta, 'name'>> & { readonly name: string };

/** Any object of the API, as JSON. */
export type KubeObject = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
};

/** An object of a kind that @kubernetes/client-node has a class for. */
export type Known<T> = KubeObject & Wire<Omit<T, 'apiVersion' | 'kind' | 'metadata'>>;

/** A kind of object and where the API server keeps it; `group` is empty for the core group. */
export type Resource<T extends KubeObject = KubeObject> = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
  /** Carries the type of the objects; no value has it. */
  readonly objectType?: T;
};

export type ObjectRef = { readonly namespace?: string | undefined; readonly name: string };

export type Subresource = 'status' | 'scale' | 'eviction';

export function apiVersionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The path of a collection; without a namespace that of all namespaces. */
export function collectionPath(resource: Resource, namespace: string | undefined): string {
  const root = groupPath(resource);
  if (namespace === undefined) return `${root}/${resource.plural}`;
  if (!resource.isNamespaced)
    throw new TypeError(`${resource.kind} has no namespaces: leave out '${namespace}'`);
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${resource.plural}`;
}

export function objectPath(resource: Resource, ref: ObjectRef, subresource?: Subresource): string {
  if (resource.isNamespaced && ref.namespace === undefined)
    throw new TypeError(`${resource.kind} '${ref.name}' needs a namespace`);
  const path = `${collectionPath(resource, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** Where the API server lists the kinds of a group and version. */
export function groupPath(resource: Resource): string {
  return `${resource.group === '' ? '/api' : '/apis'}/${apiVersionOf(resource)}`;
}

/** `namespace/name`, or the name alone where there are no namespaces: what caches and queues know an object by. */
export function keyOf(object: {
  readonly metadata: { readonly namespace?: string; readonly name: string };
}): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

export function refOf(key: string): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
