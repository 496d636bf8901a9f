import type { KubeLog } from './kube-log.ts';
import { type KubeObject, keyOf, type ObjectRef } from './resource.ts';

export type CacheEvent<T> =
  | { readonly type: 'added'; readonly object: T }
  | { readonly type: 'modified'; readonly object: T; readonly previous: T }
  /** As it last was. */
  | { readonly type: 'deleted'; readonly object: T }
  /** Nothing changed: a periodic reminder. */
  | { readonly type: 'resync'; readonly object: T };

export type CacheHandler<T> = (event: CacheEvent<T>) => void;

/** Deletions that are remembered, so that a late event of the past does not bring an object back. */
const DELETIONS_MAX = 1000;

type Deletion = { readonly uid: string | undefined; readonly version: number };

/**
 * What is known of the objects of a kind, and who wants to know of changes. It never goes back in time: an event that
 * is older than what is known of its object is dropped. A handler that throws is logged, and the others are told.
 */
export class ObjectCache<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #deletions = new Map<string, Deletion>();
  readonly #handlers = new Set<CacheHandler<T>>();
  readonly #log: KubeLog;

  constructor(deps: { readonly log: KubeLog }) {
    this.#log = deps.log;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(ref: ObjectRef): T | undefined {
    const { namespace, name } = ref;
    return this.#objects.get(namespace === undefined ? name : `${namespace}/${name}`);
  }

  list(namespace?: string): readonly T[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  /** The handler is told of all objects at once, and of every change from then on; returns how to end that. */
  onEvent(handler: CacheHandler<T>): () => void {
    for (const object of this.#objects.values()) this.#call(handler, { type: 'added', object });
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  put(object: T): void {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    if (this.#isOfThePast(key, known, object)) return;
    this.#objects.set(key, object);
    this.#deletions.delete(key);
    if (known === undefined) this.#tell({ type: 'added', object });
    else if (known.metadata.resourceVersion !== object.metadata.resourceVersion)
      this.#tell({ type: 'modified', object, previous: known });
  }

  remove(object: T): void {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    // Another object of that name may have been made since.
    if (
      known !== undefined &&
      known.metadata.uid !== object.metadata.uid &&
      versionOf(known) > versionOf(object)
    )
      return;
    this.#deletions.delete(key);
    this.#deletions.set(key, { uid: object.metadata.uid, version: versionOf(object) });
    if (this.#deletions.size > DELETIONS_MAX) this.#deletions.delete(this.#deletions.keys().next().value!);
    if (known === undefined) return;
    this.#objects.delete(key);
    this.#tell({ type: 'deleted', object });
  }

  /** Everything of `namespace` (all of them where it is undefined) is as listed, and nothing else is there. */
  replace(namespace: string | undefined, listed: readonly T[]): void {
    const keys = new Set(listed.map(keyOf));
    const gone = this.list(namespace).filter((object) => !keys.has(keyOf(object)));
    for (const object of gone) {
      this.#objects.delete(keyOf(object));
      this.#tell({ type: 'deleted', object });
    }
    for (const object of listed) this.#replaceOne(object);
  }

  /** Tells the handlers of every object again. */
  resync(): void {
    for (const object of [...this.#objects.values()]) this.#tell({ type: 'resync', object });
  }

  /** A list is the truth, also where it is older: the server's data may have been restored. */
  #replaceOne(object: T): void {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    this.#deletions.delete(key);
    if (known?.metadata.resourceVersion === object.metadata.resourceVersion) return;
    const isSame = known?.metadata.uid === object.metadata.uid;
    if (known !== undefined && !isSame) {
      this.#objects.delete(key);
      this.#tell({ type: 'deleted', object: known });
    }
    this.#objects.set(key, object);
    if (known !== undefined && isSame) this.#tell({ type: 'modified', object, previous: known });
    else this.#tell({ type: 'added', object });
  }

  #isOfThePast(key: string, known: T | undefined, object: T): boolean {
    const version = versionOf(object);
    if (known !== undefined) return version < versionOf(known);
    const deletion = this.#deletions.get(key);
    return deletion !== undefined && deletion.uid === object.metadata.uid && version <= deletion.version;
  }

  #tell(event: CacheEvent<T>): void {
    for (const handler of this.#handlers) this.#call(handler, event);
  }

  #call(handler: CacheHandler<T>, event: CacheEvent<T>): void {
    try {
      handler(event);
    } catch (error) {
      const key = keyOf(event.object);
      this.#log.error({ err: error, event: event.type, object: key }, 'a handler of events failed');
    }
  }
}

/** Versions of one server are numbers that grow (Kubernetes 1.35 says so); others compare as equal. */
export function versionOf(object: KubeObject): number {
  return parseVersion(object.metadata.resourceVersion);
}

export function parseVersion(resourceVersion: string | undefined): number {
  const version = Number(resourceVersion ?? 0);
  return Number.isFinite(version) ? version : 0;
}
