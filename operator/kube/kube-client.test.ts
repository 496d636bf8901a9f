import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../store/io/settle.ts';
import { systemClock } from '../../store/io/system-clock.ts';
import { SimClock } from '../../store/sim/sim-clock.ts';
import { FakeApiServer, type FakeApiServerOptions } from '../testing/fake-api-server.ts';
import { KubeClient, type KubeClientDeps, type KubeClientOptions } from './kube-client.ts';
import { plainConnection } from './kube-connection.ts';
import { isAlreadyExists, isConflict, KubeError } from './kube-error.ts';
import type { KubeObject, Resource } from './resource.ts';
import { type ConfigMap, configMaps, pods, statefulSets } from './resources.ts';

type Thing = KubeObject & {
  readonly spec?: { readonly size?: number; readonly colour?: string };
  readonly status?: Readonly<Record<string, unknown>>;
};
const things: Resource<Thing> = {
  ...{ group: 'example.org', version: 'v1', kind: 'Thing', plural: 'things', isNamespaced: true },
};
const A = { namespace: 'n', name: 'a' };
const thing = (spec: Thing['spec'] = {}): Thing => ({ metadata: A, spec });

type Setup = Partial<KubeClientOptions> &
  Partial<KubeClientDeps> & { readonly server?: FakeApiServerOptions };

async function setup({ server: serverOptions, ...changes }: Setup = {}) {
  const server = await FakeApiServer.start({ resources: [things], ...serverOptions });
  const connection = plainConnection(server.url);
  const deps = { connection, clock: systemClock, ...changes };
  const client = new KubeClient({ fieldManager: 'me', ...changes }, deps);
  const dispose = async (): Promise<void> => {
    await connection.close();
    await server[Symbol.asyncDispose]();
  };
  return { server, client, [Symbol.asyncDispose]: dispose };
}

test('thirty calls share a connection or two', async () => {
  await using world = await setup();
  for (let at = 0; at < 30; at++) await world.client.get(pods, A);
  // The pool may open a second one while the first has just answered.
  assert.ok(world.server.connectionsOpened <= 2, `${world.server.connectionsOpened}`);
});

test('an object is created, read, updated as it was read, and removed', async () => {
  await using world = await setup();
  const { client } = world;
  assert.equal(await client.get(things, A), undefined);
  const made = await client.create(things, thing({ size: 1 }));
  await assert.rejects(client.create(things, thing()), isAlreadyExists);
  await client.update(things, { ...made, spec: { size: 2 } });
  await assert.rejects(client.update(things, { ...made, spec: { size: 3 } }), isConflict);
  await assert.rejects(client.update(things, thing()), /needs the resourceVersion/);
  assert.deepEqual((await client.get(things, A))?.spec, { size: 2 });
  assert.deepEqual([await client.remove(things, A), await client.remove(things, A)], [true, false]);
});

test('guarded: each write is asked for, reads are not', async () => {
  await using world = await setup();
  let mayWrite = true;
  const client = world.client.guarded(() => {
    if (!mayWrite) throw new Error('not any more');
  });
  const made = await client.create(things, thing({ size: 1 }));
  mayWrite = false;
  for (const write of [
    () => client.create(things, { ...thing(), metadata: { ...A, name: 'b' } }),
    () => client.update(things, { ...made, spec: { size: 2 } }),
    () => client.apply(things, thing({ size: 2 })),
    () => client.mergePatch(things, A, { spec: { size: 2 } }),
    () => client.remove(things, A),
  ])
    await assert.rejects(write(), /not any more/);
  assert.deepEqual((await client.get(things, A))?.spec, { size: 1 });
  assert.deepEqual((await world.client.list(things)).items.length, 1);
});

test('apply says whose fields they are, and merge patches are merge patches', async () => {
  await using world = await setup();
  const { client, server } = world;
  await client.apply(things, thing({ size: 1, colour: 'red' }));
  const applied = await client.apply(things, thing({ size: 2 }));
  assert.deepEqual(applied.spec, { size: 2 });
  const options = { resourceVersion: applied.metadata.resourceVersion };
  await client.mergePatch(things, A, { metadata: { labels: { x: 'y' } } }, options);
  await assert.rejects(client.mergePatch(things, A, { spec: { size: 3 } }, options), isConflict);
  const calls = server.calls.map(({ headers, query }) => [
    headers['content-type'],
    query.get('fieldManager'),
  ]);
  assert.deepEqual(calls[0], ['application/apply-patch+yaml', 'me']);
  assert.deepEqual(calls[2], ['application/merge-patch+json', 'me']);
  await client.mergePatch(things, A, { spec: { colour: 'blue' } });
  const other = new KubeClient(
    { fieldManager: 'other' },
    { connection: plainConnection(server.url), clock: systemClock },
  );
  await assert.rejects(other.apply(things, thing({ colour: 'green' }), { force: false }), isConflict);
  assert.equal((await other.apply(things, thing({ colour: 'green' }))).spec?.colour, 'green');
});

test('status and scale are written on their own, at the version that was read', async () => {
  await using world = await setup();
  const { client, server } = world;
  const { metadata } = await client.create(things, thing({ size: 1 }));
  const version = { resourceVersion: metadata.resourceVersion };
  assert.deepEqual((await client.patchStatus(things, A, { ready: 1 }, version)).status, { ready: 1 });
  await assert.rejects(client.patchStatus(things, A, { ready: 2 }, version), isConflict);
  await client.apply(things, { metadata: A, status: { ready: 3 } }, { subresource: 'status' });
  assert.deepEqual((await client.get(things, A))?.status, { ready: 3 });
  server.put(statefulSets, {
    metadata: A,
    spec: { replicas: 3, selector: {}, serviceName: 's', template: {} },
  });
  const scale = await client.getScale(statefulSets, A);
  assert.equal(scale?.replicas, 3);
  await client.patchScale(statefulSets, A, 4, { resourceVersion: scale.resourceVersion });
  await assert.rejects(
    client.patchScale(statefulSets, A, 5, { resourceVersion: scale.resourceVersion }),
    isConflict,
  );
  assert.equal(server.get(statefulSets, A)?.spec?.replicas, 4);
  assert.equal(await client.getScale(statefulSets, { ...A, name: 'other' }), undefined);
});

test('a deletion whose uid or version is not the one meant is refused', async () => {
  await using world = await setup();
  const { client } = world;
  const first = await client.create(things, thing());
  await client.remove(things, A);
  const second = await client.create(things, thing());
  await assert.rejects(client.remove(things, A, { uid: first.metadata.uid }), isConflict);
  const { uid, resourceVersion } = second.metadata;
  await client.patchStatus(things, A, { ready: 1 });
  await assert.rejects(client.remove(things, A, { uid, resourceVersion }), isConflict);
  assert.equal(await client.remove(things, A, { uid, propagationPolicy: 'Orphan' }), true);
});

test('a list reads all pages of one version, and says of what kind its items are', async () => {
  await using world = await setup({ pageSize: 2 });
  const { client, server } = world;
  const map = (name: string, namespace: string): ConfigMap => ({
    metadata: { name, namespace, labels: { [name]: 'x' } },
  });
  for (const name of ['a', 'b', 'c', 'd', 'e']) server.put(configMaps, map(name, 'n'));
  server.put(configMaps, map('f', 'other'));
  const listed = await client.list(configMaps, { namespace: 'n' });
  assert.deepEqual(
    listed.items.flatMap(({ kind, metadata }) => [kind, metadata.name]),
    [...['ConfigMap', 'a', 'ConfigMap', 'b', 'ConfigMap', 'c', 'ConfigMap', 'd', 'ConfigMap', 'e']],
  );
  assert.equal(listed.resourceVersion, `${server.objects.version}`);
  assert.equal(server.calls.length, 3);
  assert.equal((await client.list(configMaps)).items.length, 6);
  assert.equal((await client.list(configMaps, { labelSelector: 'b' })).items.length, 1);
});

test('a list whose version is forgotten between two pages comes in one piece', async () => {
  await using world = await setup({ pageSize: 2 });
  const { client, server } = world;
  for (const name of ['a', 'b', 'c']) server.put(configMaps, { metadata: { name, namespace: 'n' } });
  server.onCall(({ query }) => {
    if (!query.has('continue')) return undefined;
    server.put(configMaps, { metadata: { name: 'd', namespace: 'n' } });
    server.compact();
    return undefined;
  });
  assert.equal((await client.list(configMaps)).items.length, 4);
});

test('an error has the status, the reason and how long to wait', async () => {
  await using world = await setup();
  const { client, server } = world;
  server.inject({
    type: 'status',
    status: 429,
    reason: 'TooManyRequests',
    message: 'slow down',
    retryAfterS: 7,
  });
  await assert.rejects(client.list(pods), (error: KubeError) => {
    assert.deepEqual([error.status, error.reason, error.retryAfterMs], [429, 'TooManyRequests', 7000]);
    assert.equal(error.message, 'GET /api/v1/pods: 429 slow down');
    return error instanceof KubeError;
  });
  server.inject({ type: 'drop' });
  await assert.rejects(client.list(pods), { name: 'KubeError', status: 0, reason: 'Unreachable' });
});

test('a call that is not answered ends at its deadline; one whose caller gave up ends at once', async () => {
  const clock = new SimClock();
  await using world = await setup({ clock, timeoutMs: 5000 });
  const { client, server } = world;
  const arrived = Promise.withResolvers<void>();
  server.inject({ type: 'hang' }, { times: 2 });
  server.onCall(() => void arrived.resolve());
  const late = assert.rejects(client.get(pods, A), {
    status: 0,
    reason: 'Timeout',
    message: /no answer within 5000 ms/,
  });
  await arrived.promise;
  clock.advance(4999);
  await settle();
  clock.advance(1);
  await late;
  const caller = new AbortController();
  const given = assert.rejects(client.get(pods, A, caller.signal), { message: 'enough' });
  caller.abort(new Error('enough'));
  await given;
  await assert.rejects(client.get(pods, A, caller.signal), { message: 'enough' });
});

test('a way to sign in that hangs ends with the deadline of the call', async () => {
  const clock = new SimClock();
  const connection = {
    ...plainConnection('http://127.0.0.1:1'),
    access: () => new Promise<never>(() => undefined),
  };
  const client = new KubeClient({ fieldManager: 'me', timeoutMs: 5000 }, { connection, clock });
  const late = assert.rejects(client.get(pods, A), { status: 0, reason: 'Timeout' });
  await settle();
  clock.advance(5000);
  await late;
});

test('a refusal of who we are is believed the second time, after the credentials were read anew', async () => {
  let token = 'old';
  let renewed = 0;
  await using world = await setup();
  const plain = plainConnection(world.server.url);
  const access = async () => ({ ...(await plain.access()), headers: { authorization: token } });
  const renew = (): void => {
    renewed++;
    token = 'new';
  };
  world.server.onCall(({ headers }) =>
    headers.authorization === 'new' ? undefined : { type: 'status', status: 401, reason: 'Unauthorized' },
  );
  const deps = { connection: { ...plain, access, renew }, clock: systemClock };
  const client = new KubeClient({ fieldManager: 'me' }, deps);
  assert.equal(await client.get(pods, A), undefined);
  assert.equal(renewed, 1);
  world.server.onCall(() => ({ type: 'status', status: 401, reason: 'Unauthorized' }));
  await assert.rejects(client.get(pods, A), { status: 401 });
  assert.equal(renewed, 2);
  await plain.close();
});

test('an eviction is refused as a budget says, and a kind that is not there is not served', async () => {
  await using world = await setup();
  const { client, server } = world;
  server.put(pods, { metadata: A });
  server.inject({ type: 'status', status: 429, reason: 'TooManyRequests', retryAfterS: 10 });
  await assert.rejects(client.evict(A), { status: 429, retryAfterMs: 10_000 });
  assert.deepEqual([await client.evict(A), await client.evict(A)], [true, false]);
  assert.equal(await client.serves(things), true);
  assert.equal(await client.serves({ ...things, plural: 'others' }), false);
  assert.equal(await client.serves({ ...things, group: 'monitoring.coreos.com' }), false);
  assert.match(await client.serverVersion(), /^v1\./);
});

test('each call is told to the observer, with its answer', async () => {
  const seen: (readonly [string, string, number])[] = [];
  await using world = await setup({
    observe: ({ verb, resource, status }) => void seen.push([verb, resource, status]),
  });
  await world.client.apply(things, thing());
  await world.client.get(pods, A);
  world.server.inject({ type: 'drop' });
  await assert.rejects(world.client.remove(things, A));
  assert.deepEqual(seen, [
    ['apply', 'things', 201],
    ['get', 'pods', 404],
    ['delete', 'things', 0],
  ]);
});

test('names stay within their part of a path, and kinds within their namespaces', async () => {
  await using world = await setup();
  const { client, server } = world;
  await client.get(pods, { namespace: 'n', name: '../../secrets/x' });
  assert.equal(server.calls[0]?.name, '../../secrets/x');
  await assert.rejects(client.get(pods, { name: 'a' }), /Pod 'a' needs a namespace/);
});
