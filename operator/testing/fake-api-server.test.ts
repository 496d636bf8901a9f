import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, Resource } from '../kube/resource.ts';
import { configMaps, pods, statefulSets } from '../kube/resources.ts';
import { FakeApiServer } from './fake-api-server.ts';

type Thing = KubeObject & {
  readonly spec?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
};
/** Whatever the server may answer with. */
type Answered = Thing & {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly Thing[];
  readonly reason: string;
  readonly message: string;
};
const things: Resource<Thing> = {
  ...{ group: 'example.org', version: 'v1', kind: 'Thing', plural: 'things', isNamespaced: true },
};
const THINGS = '/apis/example.org/v1/namespaces/n/things';
const APPLY = 'application/apply-patch+yaml';
const MERGE = 'application/merge-patch+json';

function thing(spec: Record<string, unknown>, more: object = {}): Thing {
  return {
    apiVersion: 'example.org/v1',
    kind: 'Thing',
    metadata: { name: 'a', namespace: 'n', ...more },
    spec,
  };
}

/** A request as curl would make it; the answer's JSON, whatever its status. */
async function call(
  server: FakeApiServer,
  method: string,
  path: string,
  body?: unknown,
  contentType = 'application/json',
) {
  const init =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': contentType } };
  const response = await fetch(server.url + path, { method, ...init });
  return { status: response.status, headers: response.headers, json: (await response.json()) as Answered };
}

const apply = (server: FakeApiServer, object: Thing, manager: string, more = '') =>
  call(server, 'PATCH', `${THINGS}/a?fieldManager=${manager}${more}`, object, APPLY);

async function* lines(response: Response): AsyncGenerator<{ readonly type: string; readonly object: Thing }> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      yield JSON.parse(text.slice(0, end));
      text = text.slice(end + 1);
    }
  }
}

async function take<T>(source: AsyncIterator<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  while (taken.length < count) taken.push((await source.next()).value as T);
  return taken;
}

test('an object is created once, read, listed and removed; versions grow over all objects', async () => {
  await using server = await FakeApiServer.start({ resources: [things] });
  const made = await call(server, 'POST', THINGS, thing({ size: 1 }));
  assert.equal(made.status, 201);
  assert.equal(made.json.metadata.generation, 1);
  assert.equal((await call(server, 'POST', THINGS, thing({ size: 1 }))).json.reason, 'AlreadyExists');
  assert.deepEqual((await call(server, 'GET', `${THINGS}/a`)).json, made.json);
  const { json: list } = await call(server, 'GET', '/apis/example.org/v1/things');
  assert.equal(list.kind, 'ThingList');
  assert.equal(list.items[0]?.kind, undefined);
  assert.equal(list.metadata.resourceVersion, made.json.metadata.resourceVersion);
  assert.equal((await call(server, 'DELETE', `${THINGS}/a`)).status, 200);
  assert.equal((await call(server, 'GET', `${THINGS}/a`)).json.reason, 'NotFound');
  assert.equal((await call(server, 'GET', '/apis/other.org/v1/things')).status, 404);
});

test('only a change of the spec counts as a generation, and no change makes no version', async () => {
  await using server = await FakeApiServer.start({ resources: [things] });
  const { json: made } = await call(server, 'POST', THINGS, { ...thing({ size: 1 }), status: { ready: 9 } });
  assert.equal(made.status, undefined);
  const patch = (path: string, body: unknown) => call(server, 'PATCH', THINGS + path, body, MERGE);
  const labelled = (await patch('/a', { metadata: { labels: { x: 'y' } }, status: { ready: 1 } })).json;
  assert.deepEqual([labelled.metadata.generation, labelled.status], [1, undefined]);
  const status = (await patch('/a/status', { status: { ready: 1 }, spec: { size: 7 } })).json;
  assert.deepEqual([status.metadata.generation, status.status, status.spec], [1, { ready: 1 }, { size: 1 }]);
  const sized = (await patch('/a', { spec: { size: 2 } })).json;
  assert.deepEqual([sized.metadata.generation, sized.status], [2, { ready: 1 }]);
  assert.equal(
    (await patch('/a', { spec: { size: 2 } })).json.metadata.resourceVersion,
    sized.metadata.resourceVersion,
  );
});

test('a version in a write and preconditions in a deletion must be those of the object', async () => {
  await using server = await FakeApiServer.start({ resources: [things] });
  const { json: made } = await call(server, 'POST', THINGS, thing({ size: 1 }));
  const old = { metadata: { resourceVersion: '1' }, spec: { size: 2 } };
  assert.equal((await call(server, 'PATCH', `${THINGS}/a`, old, MERGE)).json.reason, 'Conflict');
  assert.equal(
    (await call(server, 'PUT', `${THINGS}/a`, thing({ size: 2 }, { resourceVersion: '1' }))).status,
    409,
  );
  const remove = (preconditions: object) => call(server, 'DELETE', `${THINGS}/a`, { preconditions });
  assert.equal((await remove({ uid: 'other' })).json.reason, 'Conflict');
  assert.equal((await remove({ uid: made.metadata.uid, resourceVersion: '1' })).status, 409);
  assert.equal(
    (await remove({ uid: made.metadata.uid, resourceVersion: made.metadata.resourceVersion })).status,
    200,
  );
});

test('finalizers keep an object that is being deleted until the last one goes', async () => {
  await using server = await FakeApiServer.start({ resources: [things] });
  server.put(things, thing({}, { finalizers: ['x/y'] }));
  assert.ok((await call(server, 'DELETE', `${THINGS}/a`)).json.metadata.deletionTimestamp);
  assert.equal(server.list(things).length, 1);
  await call(server, 'PATCH', `${THINGS}/a`, { metadata: { finalizers: [] } }, MERGE);
  assert.equal(server.list(things).length, 0);
});

test('apply removes what its manager applied formerly, and leaves what others own', async () => {
  await using server = await FakeApiServer.start({ resources: [things] });
  const containers = (...names: string[]) => names.map((name) => ({ name, image: `${name}:1` }));
  const first = thing(
    { size: 1, colour: 'red', containers: containers('a', 'b') },
    { labels: { mine: '1' } },
  );
  assert.equal((await apply(server, first, 'me')).status, 201);
  await call(
    server,
    'PATCH',
    `${THINGS}/a?fieldManager=you`,
    { metadata: { labels: { yours: '2' } } },
    MERGE,
  );
  const { json } = await apply(server, thing({ size: 2, containers: containers('b') }), 'me');
  assert.deepEqual(json.spec, { size: 2, containers: [{ name: 'b', image: 'b:1' }] });
  assert.deepEqual(json.metadata.labels, { yours: '2' });
  assert.equal(json.metadata.generation, 2);
  const again = await apply(server, thing({ size: 2, containers: containers('b') }), 'me');
  assert.equal(again.json.metadata.resourceVersion, json.metadata.resourceVersion);
});

test('apply of a field that another manager owns with another value is a conflict unless it is forced', async () => {
  await using server = await FakeApiServer.start({ resources: [things] });
  await apply(server, thing({ size: 1 }), 'me');
  await call(server, 'PATCH', `${THINGS}/a?fieldManager=kubectl`, { spec: { size: 5 } }, MERGE);
  const refused = await apply(server, thing({ size: 1 }), 'me');
  assert.equal(refused.status, 409);
  assert.match(refused.json.message, /conflict with "kubectl": \.spec\.size/);
  assert.equal((await apply(server, thing({ size: 1 }), 'me', '&force=true')).json.spec?.size, 1);
  assert.equal((await call(server, 'PATCH', `${THINGS}/a`, thing({ size: 1 }), APPLY)).status, 400);
});

test('status is applied on its own', async () => {
  await using server = await FakeApiServer.start({ resources: [things] });
  await apply(server, thing({ size: 1 }), 'me');
  const status = { ready: 1, conditions: [{ type: 'Ready', status: 'True' }] };
  const path = `${THINGS}/a/status?fieldManager=me`;
  const { json } = await call(server, 'PATCH', path, { ...thing({ size: 9 }), status }, APPLY);
  assert.deepEqual([json.spec, json.status, json.metadata.generation], [{ size: 1 }, status, 1]);
  assert.deepEqual((await apply(server, thing({ size: 2 }), 'me')).json.status, status);
});

test('scale reads and writes the paths of its kind', async () => {
  await using server = await FakeApiServer.start();
  const metadata = { name: 's', namespace: 'n' };
  const spec = { replicas: 3, serviceName: 's', selector: {}, template: {} };
  server.put(statefulSets, { metadata, spec, status: { replicas: 2 } });
  const path = '/apis/apps/v1/namespaces/n/statefulsets/s/scale';
  const { json } = await call(server, 'GET', path);
  assert.deepEqual([json.kind, json.spec, json.status], ['Scale', { replicas: 3 }, { replicas: 2 }]);
  const conflict = { metadata: { resourceVersion: '1' }, spec: { replicas: 4 } };
  assert.equal((await call(server, 'PATCH', path, conflict, MERGE)).status, 409);
  assert.equal((await call(server, 'PATCH', path, { spec: { replicas: 4 } }, MERGE)).json.spec?.replicas, 4);
  assert.equal(server.get(statefulSets, metadata)?.metadata.generation, 2);
});

test('lists come in pages of one version, filtered by labels and fields', async () => {
  await using server = await FakeApiServer.start();
  for (const name of ['a', 'b', 'c', 'd'])
    server.put(configMaps, {
      metadata: { name, namespace: 'n', labels: { even: String('bd'.includes(name)) } },
    });
  const path = '/api/v1/namespaces/n/configmaps';
  const names = (json: Answered) => json.items.map((item) => item.metadata.name);
  const { json: first } = await call(server, 'GET', `${path}?limit=3`);
  server.remove(configMaps, { namespace: 'n', name: 'd' });
  const { json: second } = await call(server, 'GET', `${path}?limit=3&continue=${first.metadata.continue}`);
  assert.deepEqual([names(first), names(second)], [['a', 'b', 'c'], ['d']]);
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  server.compact();
  assert.equal(
    (await call(server, 'GET', `${path}?limit=3&continue=${first.metadata.continue}`)).status,
    410,
  );
  const by = async (query: string) => names((await call(server, 'GET', `${path}?${query}`)).json);
  assert.deepEqual(await by('labelSelector=even%3Dtrue'), ['b']);
  assert.deepEqual(await by('labelSelector=even+notin+(true)'), ['a', 'c']);
  assert.deepEqual(await by('fieldSelector=metadata.name%3Dc'), ['c']);
});

test('a watch begins behind its version, sees selectors, bookmarks and the end of its time', async () => {
  await using server = await FakeApiServer.start();
  const pod = (name: string, app: string) => ({ metadata: { name, namespace: 'n', labels: { app } } });
  const old = server.put(pods, pod('a', 'x'));
  server.put(pods, pod('b', 'x'));
  const query = `watch=true&resourceVersion=${old.metadata.resourceVersion}&labelSelector=app%3Dx`;
  const response = await fetch(
    `${server.url}/api/v1/pods?${query}&allowWatchBookmarks=true&timeoutSeconds=1`,
  );
  const events = lines(response);
  server.put(pods, pod('c', 'y'));
  server.put(pods, pod('c', 'x'));
  server.put(pods, pod('c', 'y'));
  server.watches.bookmark();
  const seen = (await take(events, 4)).map(({ type, object }) => [type, object.metadata.name]);
  assert.deepEqual(seen, [
    ['ADDED', 'b'],
    ['ADDED', 'c'],
    ['DELETED', 'c'],
    ['BOOKMARK', undefined],
  ]);
  assert.equal((await events.next()).done, true);
  server.compact();
  assert.equal((await fetch(`${server.url}/api/v1/pods?${query}`)).status, 410);
});

test('faults come when asked for, and applied calls keep their effect', async () => {
  await using server = await FakeApiServer.start({ resources: [things] });
  server.inject(
    { type: 'status', status: 429, retryAfterS: 3 },
    { times: 2, when: ({ verb }) => verb === 'list' },
  );
  const refused = await call(server, 'GET', THINGS);
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '3']);
  server.inject({ type: 'drop', isApplied: true });
  await assert.rejects(call(server, 'POST', THINGS, thing({ size: 1 })));
  assert.equal(server.list(things).length, 1);
  server.inject({ type: 'drop' });
  await assert.rejects(call(server, 'DELETE', `${THINGS}/a`));
  assert.equal(server.list(things).length, 1);
  server.inject({ type: 'hang' });
  await assert.rejects(fetch(server.url + THINGS, { method: 'POST', signal: AbortSignal.timeout(30) }));
  server.onCall(({ verb }) => (verb === 'get' ? { type: 'status', status: 500 } : undefined));
  assert.equal((await call(server, 'GET', `${THINGS}/a`)).status, 500);
  server.heal();
  assert.equal((await call(server, 'GET', THINGS)).status, 200);
  assert.deepEqual(
    server.writes.map(({ verb }) => verb),
    ['create', 'delete', 'create'],
  );
});

test('lists can be stale, and the server can go away and come back', async () => {
  await using server = await FakeApiServer.start({ resources: [things] });
  server.put(things, thing({ size: 1 }));
  const { version } = server.objects;
  server.put(things, thing({ size: 2 }));
  server.serveStaleLists(version);
  assert.equal((await call(server, 'GET', THINGS)).json.items[0]?.spec?.size, 1);
  server.serveStaleLists(undefined);
  await server.stop();
  await assert.rejects(call(server, 'GET', THINGS));
  await server.restart();
  assert.equal((await call(server, 'GET', THINGS)).json.items[0]?.spec?.size, 2);
});

test('events can be lost and reordered, and watches frozen', async () => {
  await using server = await FakeApiServer.start({ resources: [things] });
  const open = async () => lines(await fetch(`${server.url}${THINGS}?watch=true`));
  const events = await open();
  server.watches.lose(({ type }) => type === 'ADDED');
  server.put(things, thing({ size: 1 }));
  server.watches.reorder(2);
  server.put(things, thing({ size: 2 }));
  server.put(things, thing({ size: 3 }));
  assert.deepEqual(
    (await take(events, 2)).map(({ object }) => object.spec?.size),
    [3, 2],
  );
  server.watches.freeze();
  const fresh = await open();
  server.put(things, thing({ size: 4 }));
  assert.deepEqual(
    (await take(fresh, 2)).map(({ object }) => object.spec?.size),
    [3, 4],
  );
  assert.equal(
    await Promise.race([events.next(), new Promise((resolve) => setTimeout(resolve, 30, 'silent'))]),
    'silent',
  );
});

test('admission refuses with a reason, or completes what is stored', async () => {
  const admit = (next: unknown) => {
    const { spec, ...rest } = next as Thing;
    return Number(spec?.size) > 9
      ? { refused: 'size: at most 9' }
      : { ...rest, spec: { colour: 'red', ...spec } };
  };
  await using server = await FakeApiServer.start({ resources: [{ ...things, admit }] });
  const refused = await call(server, 'POST', THINGS, thing({ size: 10 }));
  assert.deepEqual([refused.status, refused.json.reason], [422, 'Invalid']);
  assert.match(refused.json.message, /size: at most 9/);
  assert.deepEqual((await call(server, 'POST', THINGS, thing({ size: 1 }))).json.spec, {
    colour: 'red',
    size: 1,
  });
});
