import { apiVersionOf, type KubeObject } from '../kube/resource.ts';
import type { FakeCall, FakeResource } from './fake-api-server-call.ts';
import { type Json, mergePatch, valueAt, withValueAt } from './fake-api-server-json.ts';
import { ApiStatus, type FakeObjects, type Part, type Preconditions } from './fake-api-server-objects.ts';
import { parseFieldSelector, parseLabelSelector } from './fake-api-server-selectors.ts';

export type Answer = { readonly status: number; readonly body: unknown };

/** Answers everything but watches. Throws ApiStatus. */
export function answer(objects: FakeObjects, call: FakeCall, listVersion: number | undefined): Answer {
  const { resource } = call;
  if (resource === undefined) throw new ApiStatus(404, 'NotFound', `the server could not find ${call.path}`);
  if (call.subresource === 'scale') return scaleAnswer(objects, resource, call);
  if (call.subresource === 'eviction') return evict(objects, resource, call);
  switch (call.verb) {
    case 'list':
      return { status: 200, body: list(objects, resource, call, listVersion) };
    case 'get':
      return { status: 200, body: objects.need(resource, refOf(call)) };
    case 'create':
      return { status: 201, body: create(objects, resource, call) };
    case 'update':
    case 'patch':
    case 'apply':
      return write(objects, resource, call);
    case 'delete':
      return { status: 200, body: remove(objects, resource, call) };
    case 'watch':
    case 'discover':
      throw new ApiStatus(405, 'MethodNotAllowed', `${call.verb} of ${call.path}`);
  }
}

export function matcherOf(query: URLSearchParams): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '');
  return (object) => labels(object.metadata.labels) && fields(object);
}

function list(
  objects: FakeObjects,
  resource: FakeResource,
  call: FakeCall,
  listVersion: number | undefined,
): unknown {
  const token = call.query.get('continue');
  const [version, start] = token === null ? [listVersion ?? objects.version, 0] : parseContinue(token);
  const matches = matcherOf(call.query);
  const all = objects
    .list(resource, version)
    .filter(({ metadata }) => call.namespace === undefined || metadata.namespace === call.namespace)
    .filter(matches);
  const limit = Number(call.query.get('limit') ?? 0) || all.length;
  const end = start + limit;
  const metadata = {
    resourceVersion: `${version}`,
    ...(end < all.length && { continue: `${version}:${end}`, remainingItemCount: all.length - end }),
  };
  // Like the real one: items of a list do not say what they are.
  const items = all.slice(start, end).map(({ apiVersion: _, kind: __, ...item }) => item);
  return { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items };
}

function parseContinue(token: string): [version: number, start: number] {
  const [version, start] = token.split(':').map(Number);
  if (Number.isNaN(version) || Number.isNaN(start))
    throw new ApiStatus(400, 'BadRequest', 'continue key is not valid');
  return [version!, start!];
}

function create(objects: FakeObjects, resource: FakeResource, call: FakeCall): KubeObject {
  if (call.name !== undefined)
    throw new ApiStatus(405, 'MethodNotAllowed', 'create by POST to the collection');
  const body = bodyOf(resource, call);
  const { status: _, ...main } = body as KubeObject & { readonly status?: Json };
  const object = resource.hasStatus === false ? body : main;
  return objects.create(resource, admitted(resource, object, undefined), managerOf(call));
}

function write(objects: FakeObjects, resource: FakeResource, call: FakeCall): Answer {
  const part = partOf(resource, call);
  const live = objects.get(resource, refOf(call));
  if (call.verb === 'apply') return applied(objects, resource, call, part);
  if (live === undefined) objects.need(resource, refOf(call));
  const next = call.verb === 'update' ? bodyOf(resource, call) : patched(live!, call);
  const object = part === 'status' ? next : admitted(resource, next, live);
  return { status: 200, body: objects.update(resource, object, { part, manager: managerOf(call) }) };
}

function applied(objects: FakeObjects, resource: FakeResource, call: FakeCall, part: Part): Answer {
  const config = bodyOf(resource, call);
  const manager = call.query.get('fieldManager');
  if (manager === null) throw new ApiStatus(400, 'BadRequest', 'fieldManager is required for apply patch');
  if (config.metadata.managedFields !== undefined)
    throw new ApiStatus(400, 'BadRequest', 'metadata.managedFields must be nil');
  const live = objects.get(resource, refOf(call));
  const isForced = call.query.get('force') === 'true';
  const wanted = part === 'status' ? config : admitted(resource, config, live);
  const object = objects.apply(resource, wanted, { part, manager, isForced });
  return { status: live === undefined ? 201 : 200, body: object };
}

function patched(live: KubeObject, call: FakeCall): KubeObject {
  const type = call.headers['content-type'];
  if (type?.startsWith('application/merge-patch+json') !== true)
    throw new ApiStatus(
      415,
      'UnsupportedMediaType',
      `patch of type ${type}: this server knows merge patch and apply`,
    );
  // The version in a patch is a precondition; without one the patch is of whatever is there.
  const { resourceVersion: _, ...metadata } = live.metadata;
  return mergePatch({ ...live, metadata } as unknown as Json, call.body as Json) as unknown as KubeObject;
}

function remove(objects: FakeObjects, resource: FakeResource, call: FakeCall): unknown {
  const { preconditions } = (call.body ?? {}) as { readonly preconditions?: Preconditions };
  const object = objects.remove(resource, refOf(call), preconditions);
  if (object.metadata.deletionTimestamp !== undefined) return object;
  return { kind: 'Status', apiVersion: 'v1', status: 'Success', details: { uid: object.metadata.uid } };
}

function scaleAnswer(objects: FakeObjects, resource: FakeResource, call: FakeCall): Answer {
  const paths = resource.scale;
  if (paths === undefined) throw new ApiStatus(404, 'NotFound', `${resource.plural} have no scale`);
  const live = objects.need(resource, refOf(call));
  if (call.verb === 'get') return { status: 200, body: scaleOf(live, paths) };
  const wanted = call.body as {
    readonly metadata?: Preconditions;
    readonly spec?: { readonly replicas?: number };
  };
  const next = withValueAt(live, paths.spec, wanted.spec?.replicas ?? 0);
  const resourceVersion = wanted.metadata?.resourceVersion;
  const { resourceVersion: _, ...metadata } = next.metadata;
  const object = {
    ...next,
    metadata: { ...metadata, ...(resourceVersion !== undefined && { resourceVersion }) },
  };
  const changed = objects.update(resource, admitted(resource, object, live), {
    part: 'main',
    manager: managerOf(call),
  });
  return { status: 200, body: scaleOf(changed, paths) };
}

function scaleOf(object: KubeObject, paths: NonNullable<FakeResource['scale']>): unknown {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    ...{ kind: 'Scale', apiVersion: 'autoscaling/v1' },
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: valueAt(object, paths.spec) ?? 0 },
    status: { replicas: valueAt(object, paths.status) ?? 0, selector: valueAt(object, paths.selector) },
  };
}

function evict(objects: FakeObjects, resource: FakeResource, call: FakeCall): Answer {
  const { deleteOptions } = (call.body ?? {}) as {
    readonly deleteOptions?: { readonly preconditions?: Preconditions };
  };
  objects.remove(resource, refOf(call), deleteOptions?.preconditions);
  return { status: 201, body: { kind: 'Status', apiVersion: 'v1', status: 'Success' } };
}

function admitted(resource: FakeResource, next: KubeObject, live: KubeObject | undefined): KubeObject {
  const answer = resource.admit?.(next, live) ?? next;
  const { refused } = answer as { readonly refused?: unknown };
  if (typeof refused === 'string')
    throw new ApiStatus(422, 'Invalid', `${resource.kind} "${next.metadata.name}" is invalid: ${refused}`);
  return answer as KubeObject;
}

function partOf(resource: FakeResource, call: FakeCall): Part {
  if (call.subresource === 'status') {
    if (resource.hasStatus !== false) return 'status';
    throw new ApiStatus(404, 'NotFound', `${resource.plural} have no status`);
  }
  return resource.hasStatus === false ? 'all' : 'main';
}

function bodyOf(resource: FakeResource, call: FakeCall): KubeObject {
  const body = call.body as KubeObject | undefined;
  const apiVersion = apiVersionOf(resource);
  if (body?.apiVersion !== apiVersion || body.kind !== resource.kind)
    throw new ApiStatus(
      400,
      'BadRequest',
      `the object is ${body?.apiVersion} ${body?.kind}, not ${apiVersion} ${resource.kind}`,
    );
  const name = call.name ?? body.metadata?.name;
  if (name === undefined || name !== body.metadata.name)
    throw new ApiStatus(
      400,
      'BadRequest',
      `the name of the object (${body.metadata?.name}) is not that of the path (${name})`,
    );
  if (resource.isNamespaced && call.namespace === undefined)
    throw new ApiStatus(400, 'BadRequest', 'an object needs a namespace in its path');
  const namespace = body.metadata.namespace ?? call.namespace;
  if (namespace !== call.namespace)
    throw new ApiStatus(400, 'BadRequest', 'the namespace of the object is not that of the path');
  return { ...body, metadata: { ...body.metadata, ...(namespace !== undefined && { namespace }) } };
}

function refOf(call: FakeCall): { readonly namespace: string | undefined; readonly name: string } {
  if (call.name === undefined) throw new ApiStatus(405, 'MethodNotAllowed', `${call.verb} of a collection`);
  return { namespace: call.namespace, name: call.name };
}

function managerOf(call: FakeCall): string {
  return call.query.get('fieldManager') ?? call.headers['user-agent']?.split('/')[0] ?? 'unknown';
}
