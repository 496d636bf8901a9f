import type { Clock } from '../../store/ports/clock.ts';
import type { KubeConnection } from './kube-connection.ts';
import { isExpired, isNotFound } from './kube-error.ts';
import {
  KubeRequests,
  type KubeTransport,
  type KubeVerb,
  type Query,
  type RequestObserver,
} from './kube-request.ts';
import {
  apiVersionOf,
  collectionPath,
  groupPath,
  type KubeObject,
  type ObjectRef,
  objectPath,
  type Resource,
  type Subresource,
} from './resource.ts';
import { pods } from './resources.ts';
import { type WatchEvent, watchEvents } from './watch-stream.ts';

export type KubeClientOptions = {
  /** Who owns the fields that are applied, and whom managedFields name otherwise. */
  readonly fieldManager: string;
  readonly userAgent?: string;
  /** Deadline of each call; of a watch, until it begins. Default 30 s. */
  readonly timeoutMs?: number;
  /** Objects in a page of a list. Default 500. */
  readonly pageSize?: number;
};

export type KubeClientDeps = { readonly clock: Clock } & (
  | { readonly connection: KubeConnection; readonly observe?: RequestObserver }
  | { readonly transport: KubeTransport }
);

export type Selection = {
  /** All namespaces where it is undefined. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
};

export type Listed<T> = {
  readonly items: readonly T[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
};

/** What must be true of the object for the call to have an effect; else it is refused with `Conflict`. */
export type Preconditions = {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
};

export type RemoveOptions = Preconditions & {
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
};

export type ApplyOptions = {
  /** Default true: whoever else set a field loses it. */
  readonly force?: boolean;
  readonly subresource?: 'status';
};

export type PatchOptions = Preconditions & { readonly subresource?: Subresource };

export type WatchOptions = Selection & {
  readonly resourceVersion: string;
  /** The server ends the watch after so long. */
  readonly timeoutSeconds: number;
  /** The watch ends with a KubeError `Idle` when nothing came for so long, not even a bookmark. */
  readonly idleMs: number;
};

export type Scale = { readonly replicas: number; readonly resourceVersion: string };

const TIMEOUT_MS = 30_000;
const PAGE_SIZE = 500;

/**
 * Typed calls for any kind, over one pool of connections. Each throws KubeError but where it says what it returns
 * instead; each has a deadline and ends at once when `signal` is aborted. Objects are plain JSON.
 */
export class KubeClient {
  readonly fieldManager: string;
  readonly #pageSize: number;
  readonly #requests: KubeTransport;
  readonly #clock: Clock;

  constructor(options: KubeClientOptions, deps: KubeClientDeps) {
    const { fieldManager, userAgent = fieldManager, timeoutMs = TIMEOUT_MS, pageSize = PAGE_SIZE } = options;
    this.fieldManager = fieldManager;
    this.#pageSize = pageSize;
    this.#clock = deps.clock;
    this.#requests = 'transport' in deps ? deps.transport : new KubeRequests({ timeoutMs, userAgent }, deps);
  }

  /** The same, but that it asks `mayWrite` before each write, which throws where nothing may be changed any more. */
  guarded(mayWrite: () => void): KubeClient {
    const requests = this.#requests;
    const transport: KubeTransport = {
      json: async (request, signal) => {
        if (request.method !== 'GET') mayWrite();
        return await requests.json(request, signal);
      },
      stream: async (request, signal) => await requests.stream(request, signal),
    };
    const { fieldManager } = this;
    return new KubeClient({ fieldManager, pageSize: this.#pageSize }, { transport, clock: this.#clock });
  }

  /** Undefined where there is no such object. The answer is the newest, not a cached one. */
  async get<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    const path = objectPath(resource, ref);
    return await orUndefined(this.#call<T>('get', resource, { method: 'GET', path }, signal));
  }

  /** All pages. Where the server forgets the version between two of them, one answer without pages. */
  async list<T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection = {},
    signal?: AbortSignal,
  ): Promise<Listed<T>> {
    try {
      return await this.#pages(resource, selection, this.#pageSize, signal);
    } catch (error) {
      if (!isExpired(error)) throw error;
      return await this.#pages(resource, selection, undefined, signal);
    }
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: T, signal?: AbortSignal): Promise<T> {
    const path = collectionPath(resource, object.metadata.namespace);
    const query = { fieldManager: this.fieldManager };
    const body = withKind(resource, object);
    return await this.#call<T>('create', resource, { method: 'POST', path, query, body }, signal);
  }

  /** Replaces the object as it was read: its resourceVersion must be there, and still be the newest. */
  async update<T extends KubeObject>(resource: Resource<T>, object: T, signal?: AbortSignal): Promise<T> {
    if (object.metadata.resourceVersion === undefined)
      throw new TypeError(
        `update of ${resource.kind} '${object.metadata.name}' needs the resourceVersion that was read`,
      );
    const path = objectPath(resource, object.metadata);
    const query = { fieldManager: this.fieldManager };
    const body = withKind(resource, object);
    return await this.#call<T>('update', resource, { method: 'PUT', path, query, body }, signal);
  }

  /** Server-side apply: the object has these fields afterwards, and loses those that we applied before and not now. */
  async apply<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    { force = true, subresource }: ApplyOptions = {},
    signal?: AbortSignal,
  ): Promise<T> {
    const path = objectPath(resource, object.metadata, subresource);
    const query = { fieldManager: this.fieldManager, force };
    const body = withKind(resource, object);
    const contentType = 'application/apply-patch+yaml';
    return await this.#call<T>(
      'apply',
      resource,
      { method: 'PATCH', path, query, body, contentType },
      signal,
    );
  }

  /** JSON merge patch: null removes a field, lists are replaced. */
  async mergePatch<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    patch: object,
    options: PatchOptions = {},
    signal?: AbortSignal,
  ): Promise<T> {
    const path = objectPath(resource, ref, options.subresource);
    const query = { fieldManager: this.fieldManager };
    const body = withPreconditions(patch, options);
    const contentType = 'application/merge-patch+json';
    return await this.#call<T>(
      'patch',
      resource,
      { method: 'PATCH', path, query, body, contentType },
      signal,
    );
  }

  /** Merges into the status. */
  async patchStatus<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    status: object,
    preconditions: Preconditions = {},
    signal?: AbortSignal,
  ): Promise<T> {
    return await this.mergePatch<T>(
      resource,
      ref,
      { status },
      { ...preconditions, subresource: 'status' },
      signal,
    );
  }

  /** The resourceVersion is that of the object. */
  async getScale(resource: Resource, ref: ObjectRef, signal?: AbortSignal): Promise<Scale | undefined> {
    const path = objectPath(resource, ref, 'scale');
    const scale = await orUndefined(
      this.#call<ScaleObject>('get', resource, { method: 'GET', path }, signal),
    );
    return scale === undefined ? undefined : scaleOf(scale);
  }

  async patchScale(
    resource: Resource,
    ref: ObjectRef,
    replicas: number,
    preconditions: Preconditions = {},
    signal?: AbortSignal,
  ): Promise<Scale> {
    const options: PatchOptions = { ...preconditions, subresource: 'scale' };
    const patched = await this.mergePatch(resource, ref, { spec: { replicas } }, options, signal);
    return scaleOf(patched as ScaleObject);
  }

  /** False where there is no such object. With finalizers it is only marked, and goes when they do. */
  async remove(
    resource: Resource,
    ref: ObjectRef,
    options: RemoveOptions = {},
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { uid, resourceVersion, ...rest } = options;
    const preconditions = defined({ uid, resourceVersion });
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...rest, preconditions };
    const path = objectPath(resource, ref);
    const removed = await orUndefined(
      this.#call<object>('delete', resource, { method: 'DELETE', path, body }, signal),
    );
    return removed !== undefined;
  }

  /** Removes a pod unless a PodDisruptionBudget forbids it now (429). False where there is no such pod. */
  async evict(ref: ObjectRef, preconditions: Preconditions = {}, signal?: AbortSignal): Promise<boolean> {
    const path = objectPath(pods, ref, 'eviction');
    const deleteOptions = { preconditions: defined(preconditions) };
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: ref, deleteOptions };
    const evicted = await orUndefined(
      this.#call<object>('create', pods, { method: 'POST', path, body }, signal),
    );
    return evicted !== undefined;
  }

  /** Whether the server has this kind: a CustomResourceDefinition may be missing. */
  async serves(resource: Resource, signal?: AbortSignal): Promise<boolean> {
    const call = { method: 'GET', path: groupPath(resource) } as const;
    const found = await orUndefined(this.#call<ResourceList>('discover', resource, call, signal));
    return found?.resources.some(({ name }) => name === resource.plural) ?? false;
  }

  /** The version of the server, such as `v1.34.4`: the cheapest call of all. */
  async serverVersion(signal?: AbortSignal): Promise<string> {
    const call = { verb: 'discover', resource: 'version', method: 'GET', path: '/version' } as const;
    return ((await this.#requests.json(call, signal)) as { readonly gitVersion: string }).gitVersion;
  }

  /** Changes after a version, until the server ends it. Throws KubeError as it comes: Expired, Idle, Unreachable. */
  watch<T extends KubeObject>(
    resource: Resource<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { idleMs, namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds } = options;
    const from = { resourceVersion, timeoutSeconds, watch: true, allowWatchBookmarks: true };
    const query = { labelSelector, fieldSelector, ...from };
    const path = collectionPath(resource, namespace);
    const call = { verb: 'watch', resource: resource.plural, method: 'GET', path, query } as const;
    return watchEvents<T>({ idleMs }, { call, requests: this.#requests, clock: this.#clock }, signal);
  }

  async #pages<T extends KubeObject>(
    resource: Resource<T>,
    { namespace, labelSelector, fieldSelector }: Selection,
    limit: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Listed<T>> {
    const path = collectionPath(resource, namespace);
    const items: T[] = [];
    let page: Page<T> | undefined;
    do {
      const query: Query = { labelSelector, fieldSelector, limit, continue: page?.metadata.continue };
      page = await this.#call<Page<T>>('list', resource, { method: 'GET', path, query }, signal);
      // Items of a list do not say what they are.
      for (const item of page.items ?? []) items.push(withKind(resource, item));
    } while (page.metadata.continue);
    return { items, resourceVersion: page.metadata.resourceVersion };
  }

  async #call<T>(
    verb: KubeVerb,
    resource: Resource,
    call: { readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'; readonly path: string } & Rest,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return (await this.#requests.json({ verb, resource: resource.plural, ...call }, signal)) as T;
  }
}

type Rest = { readonly query?: Query; readonly body?: unknown; readonly contentType?: string };
type ResourceList = { readonly resources: readonly { readonly name: string }[] };
type ScaleObject = KubeObject & { readonly spec?: { readonly replicas?: number } };
type Page<T> = {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[] | null;
};

function scaleOf({ metadata, spec }: ScaleObject): Scale {
  return { replicas: spec?.replicas ?? 0, resourceVersion: metadata.resourceVersion ?? '' };
}

function withKind<T extends KubeObject>(resource: Resource<T>, object: T): T {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
}

function withPreconditions(patch: object, { uid, resourceVersion }: Preconditions): object {
  const { metadata = {} } = patch as { readonly metadata?: object };
  const wanted = defined({ uid, resourceVersion });
  return Object.keys(wanted).length === 0 ? patch : { ...patch, metadata: { ...metadata, ...wanted } };
}

function defined(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

async function orUndefined<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
