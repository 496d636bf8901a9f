import { randomUUID } from 'node:crypto';
import { apiVersionOf, type KubeObject, type ObjectRef, type Resource } from '../kube/resource.ts';
import { type Owners, ownersAfterUpdate, serverSideApply } from './fake-api-server-apply.ts';
import { isEqual, type Json, type JsonObject, KeptJson } from './fake-api-server-json.ts';

/** What the API server answers instead of an object. */
export class ApiStatus extends Error {
  override readonly name = 'ApiStatus';
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

export type Change = {
  readonly resourceVersion: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: Resource;
  /** As it is after the change; for a deletion as it last was, with the version of the deletion. */
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
};

export type Preconditions = { readonly uid?: string; readonly resourceVersion?: string };

/** Which part of an object a request may change. */
export type Part = 'all' | 'main' | 'status';

/** Owners by the uid of their object: an object that is made anew has none. */
type OwnersByUid = Map<string, Owners>;
/** By kind, then by namespace and name. */
type ObjectsByKind = Map<string, Map<string, KubeObject>>;

/** All objects, with one counter of versions over them, and the changes since the last compaction. */
export class FakeObjects {
  readonly #objects: ObjectsByKind = new Map();
  readonly #owners: OwnersByUid = new Map();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #kept = new KeptJson();
  readonly #nowMs: () => number;
  readonly #newUid: () => string;
  #changes: Change[] = [];
  #version = 100;
  #compactedVersion = 100;

  constructor(nowMs: () => number, newUid: () => string = randomUUID) {
    this.#nowMs = nowMs;
    this.#newUid = newUid;
  }

  get version(): number {
    return this.#version;
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): T | undefined {
    return this.#objects.get(kindOf(resource))?.get(nameOf(ref)) as T | undefined;
  }

  /** All objects of a kind in the order of their keys, now or as of a version that is still known. */
  list<T extends KubeObject>(resource: Resource<T>, version = this.#version): readonly T[] {
    const kind = kindOf(resource);
    const objects = version === this.#version ? this.#objects : this.#objectsAt(version);
    return [...(objects.get(kind) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each as T);
  }

  /** Changes after `version`; throws 410 where they are forgotten. */
  changesSince(version: number): readonly Change[] {
    if (version < this.#compactedVersion) throw expired(version, this.#compactedVersion);
    return this.#changes.filter((change) => change.resourceVersion > version);
  }

  /** Forgets all changes up to now. */
  compact(): void {
    this.#changes = [];
    this.#compactedVersion = this.#version;
  }

  create(resource: Resource, object: KubeObject, manager = 'test'): KubeObject {
    const ref = object.metadata;
    if (this.get(resource, ref) !== undefined)
      throw new ApiStatus(409, 'AlreadyExists', `${resource.plural} "${ref.name}" already exists`);
    if (object.metadata.resourceVersion !== undefined)
      throw new ApiStatus(400, 'BadRequest', 'resourceVersion should not be set on objects to be created');
    const { managedFields: _, ...metadata } = object.metadata;
    const made: KubeObject = {
      ...object,
      ...{ apiVersion: apiVersionOf(resource), kind: resource.kind },
      metadata: { ...metadata, uid: this.#newUid(), generation: 1, creationTimestamp: this.#now() },
    };
    return this.#store('ADDED', resource, made, undefined, () => ownersOfNew(made, manager));
  }

  /** Creates or replaces an object with its status, whatever version is there. */
  put<T extends KubeObject>(resource: Resource<T>, object: T): T {
    const { resourceVersion: _, ...metadata } = object.metadata;
    const next = { ...object, metadata };
    const isNew = this.get(resource, metadata) === undefined;
    return (isNew ? this.create(resource, next) : this.update(resource, next)) as T;
  }

  /** Writes `next` over what is there; nothing happens where that changes nothing. */
  update(
    resource: Resource,
    next: KubeObject,
    options: { readonly part: Part; readonly manager: string } = { part: 'all', manager: 'test' },
  ): KubeObject {
    const live = this.need(resource, next.metadata);
    checkPreconditions(resource, live, next.metadata);
    const merged = onlyPart(live, next, options.part);
    return this.#update(resource, live, merged, (owners) =>
      ownersAfterUpdate(content(live), content(merged), owners, options.manager),
    );
  }

  apply(
    resource: Resource,
    config: KubeObject,
    options: { readonly part: Part; readonly manager: string; readonly isForced: boolean },
  ): KubeObject {
    const live = this.get(resource, config.metadata);
    const by = {
      manager: `${options.manager}${options.part === 'status' ? '/status' : ''}`,
      isForced: options.isForced,
    };
    if (live === undefined) {
      if (options.part === 'status') return this.need(resource, config.metadata);
      const { status: _, ...rest } = config as KubeObject & { readonly status?: Json };
      const made = this.create(resource, options.part === 'main' ? rest : config, by.manager);
      return made;
    }
    checkPreconditions(resource, live, config.metadata);
    const wanted = content(options.part === 'status' ? statusOf(config) : mainOf(config, options.part));
    const owners = this.#owners.get(live.metadata.uid ?? '') ?? new Map();
    const applied = serverSideApply(content(live), wanted, owners, by);
    if (applied.type === 'conflict')
      throw new ApiStatus(
        409,
        'Conflict',
        `Apply failed with 1 conflict: conflict with "${applied.manager}": ${applied.field}`,
      );
    const next = {
      ...applied.object,
      metadata: { ...identityOf(live), ...(applied.object.metadata as object) },
    };
    return this.#update(resource, live, next as KubeObject, () => applied.owners);
  }

  /** Removes an object, or marks it as being deleted while it has finalizers. */
  remove(resource: Resource, ref: ObjectRef, preconditions: Preconditions = {}): KubeObject {
    const live = this.need(resource, ref);
    checkPreconditions(resource, live, preconditions);
    if ((live.metadata.finalizers ?? []).length === 0) return this.#store('DELETED', resource, live, live);
    if (live.metadata.deletionTimestamp !== undefined) return live;
    const generation = (live.metadata.generation ?? 1) + 1;
    const metadata = { ...live.metadata, deletionTimestamp: this.#now(), generation };
    return this.#store('MODIFIED', resource, { ...live, metadata }, live);
  }

  need<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): T {
    const live = this.get(resource, ref);
    if (live === undefined)
      throw new ApiStatus(404, 'NotFound', `${resource.plural} "${ref.name}" not found`);
    return live;
  }

  #update(
    resource: Resource,
    live: KubeObject,
    wanted: KubeObject,
    owners: (before: Owners) => Owners,
  ): KubeObject {
    const { uid, creationTimestamp, deletionTimestamp, generation, resourceVersion } = live.metadata;
    const fixed = { uid, creationTimestamp, deletionTimestamp, generation, resourceVersion };
    const { managedFields: _, ...metadata } = { ...wanted.metadata, ...fixed };
    const next = { ...wanted, apiVersion: live.apiVersion, kind: live.kind, metadata } as KubeObject;
    const { managedFields: __, ...liveMetadata } = live.metadata;
    const after = owners(this.#owners.get(uid ?? '') ?? new Map());
    if (isEqual(next, { ...live, metadata: liveMetadata })) {
      this.#owners.set(uid ?? '', after);
      return live;
    }
    const isSpecChanged = !isEqual(specOf(next), specOf(live));
    const counted = isSpecChanged ? { ...metadata, generation: (generation ?? 1) + 1 } : metadata;
    const changed = { ...next, metadata: counted } as KubeObject;
    const isGone = deletionTimestamp !== undefined && (changed.metadata.finalizers ?? []).length === 0;
    return this.#store(isGone ? 'DELETED' : 'MODIFIED', resource, changed, live, () => after);
  }

  #store(
    type: Change['type'],
    resource: Resource,
    object: KubeObject,
    previous: KubeObject | undefined,
    owners?: () => Owners,
  ): KubeObject {
    checkControllers(object);
    const uid = object.metadata.uid ?? '';
    if (owners !== undefined) this.#owners.set(uid, owners());
    const resourceVersion = ++this.#version;
    const metadata = {
      ...object.metadata,
      resourceVersion: `${resourceVersion}`,
      managedFields: managedFieldsOf(this.#owners.get(uid) ?? new Map()),
    };
    const stored: KubeObject = this.#kept.keep({ ...object, metadata });
    replaceIn(this.#objects, resource, stored.metadata, type === 'DELETED' ? undefined : stored);
    const change: Change = { resourceVersion, type, resource, object: stored, previous };
    this.#changes.push(change);
    for (const listener of this.#listeners) listener(change);
    return stored;
  }

  #objectsAt(version: number): ObjectsByKind {
    const objects: ObjectsByKind = new Map([...this.#objects].map(([kind, all]) => [kind, new Map(all)]));
    for (const { resource, object, previous } of this.changesSince(version).toReversed())
      replaceIn(objects, resource, object.metadata, previous);
    return objects;
  }

  #now(): string {
    return new Date(this.#nowMs()).toISOString().replace(/\.\d+Z$/, 'Z');
  }
}

export function expired(version: number, oldest: number): ApiStatus {
  return new ApiStatus(410, 'Expired', `too old resource version: ${version} (${oldest})`);
}

/** Undefined takes it out. */
function replaceIn(
  objects: ObjectsByKind,
  resource: Resource,
  ref: ObjectRef,
  object: KubeObject | undefined,
): void {
  const kind = kindOf(resource);
  const all = objects.get(kind) ?? new Map<string, KubeObject>();
  if (object === undefined) all.delete(nameOf(ref));
  else all.set(nameOf(ref), object);
  objects.set(kind, all);
}

function kindOf({ group, plural }: Resource): string {
  return group === '' ? plural : `${group}/${plural}`;
}

function nameOf({ namespace, name }: ObjectRef): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** As the API server has it: whoever writes a second one writes nothing. */
function checkControllers({ kind, metadata }: KubeObject): void {
  const owners = (metadata.ownerReferences ?? []).filter(({ controller }) => controller === true);
  if (owners.length <= 1) return;
  const names = owners.map((owner) => `${owner.kind}/${owner.name}`).join(' and ');
  const message = `Only one reference can have Controller set to true. Found "true" in references for ${names}`;
  throw new ApiStatus(
    422,
    'Invalid',
    `${kind} "${metadata.name}" is invalid: metadata.ownerReferences: ${message}`,
  );
}

function checkPreconditions(
  resource: Resource,
  live: KubeObject,
  { uid, resourceVersion }: Preconditions,
): void {
  const { name } = live.metadata;
  if (uid !== undefined && uid !== live.metadata.uid)
    throw new ApiStatus(
      409,
      'Conflict',
      `Precondition failed: UID of ${resource.plural} "${name}" is ${live.metadata.uid}, not ${uid}`,
    );
  if (resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion)
    throw new ApiStatus(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${resource.plural} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
    );
}

function onlyPart(live: KubeObject, next: KubeObject, part: Part): KubeObject {
  const { status: liveStatus } = live as { readonly status?: Json };
  const { status, ...main } = next as KubeObject & { readonly status?: Json };
  if (part === 'all') return next;
  if (part === 'status') return { ...live, ...(status !== undefined && { status }) };
  return { ...main, ...(liveStatus !== undefined && { status: liveStatus }) };
}

function statusOf(config: KubeObject): KubeObject {
  const { status } = config as { readonly status?: Json };
  return { metadata: { name: config.metadata.name }, ...(status !== undefined && { status }) };
}

function mainOf(config: KubeObject, part: Part): KubeObject {
  const { status: _, ...main } = config as KubeObject & { readonly status?: Json };
  return part === 'main' ? main : config;
}

/** What managers own fields of: everything but what tells the object apart and what the server sets. */
function content(object: KubeObject): JsonObject {
  const { apiVersion: _, kind: __, metadata, ...rest } = object;
  const { labels, annotations, finalizers, ownerReferences } = metadata;
  const owned = Object.entries({ labels, annotations, finalizers, ownerReferences });
  const present = Object.fromEntries(owned.filter(([, value]) => value !== undefined));
  return { ...rest, ...(Object.keys(present).length > 0 && { metadata: present }) } as JsonObject;
}

/** Metadata without what managers own fields of. */
function identityOf(object: KubeObject): KubeObject['metadata'] {
  const { labels: _, annotations: __, finalizers: ___, ownerReferences: ____, ...identity } = object.metadata;
  return identity;
}

function specOf(object: KubeObject): unknown {
  const { metadata: _, status: __, ...spec } = object as KubeObject & { readonly status?: Json };
  return spec;
}

function ownersOfNew(object: KubeObject, manager: string): Owners {
  return ownersAfterUpdate({}, content(object), new Map(), manager);
}

function managedFieldsOf(owners: Owners): NonNullable<KubeObject['metadata']['managedFields']> {
  return [...owners.keys()].map((manager) => ({
    ...{ manager, operation: 'Apply', fieldsType: 'FieldsV1' },
    fieldsV1: { 'f:spec': {} },
  }));
}
