import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../store/io/system-clock.ts';
import { systemRandom } from '../../store/io/system-random.ts';
import { EventRecorder } from '../kube/event-recorder.ts';
import { Informer } from '../kube/informer.ts';
import { KubeClient } from '../kube/kube-client.ts';
import { connectKube } from '../kube/kube-config.ts';
import { type KubeConnection, plainConnection } from '../kube/kube-connection.ts';
import { isAlreadyExists, isConflict, KubeError } from '../kube/kube-error.ts';
import { silentLog } from '../kube/kube-log.ts';
import { LeaseElector } from '../kube/lease-elector.ts';
import { microTime } from '../kube/micro-time.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';
import {
  type CustomResourceDefinition,
  configMaps,
  customResourceDefinitions,
  events,
  leases,
  namespaces,
  statefulSets,
} from '../kube/resources.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { until } from './until.ts';

/**
 * What an API server does, as the operator relies on it. It runs against the fake one, and against a real one where
 * KVORUM_TEST_KUBECONFIG names its kubeconfig: what holds of both is what other tests may use the fake for.
 */

type Thing = KubeObject & {
  readonly spec?: { readonly size?: number; readonly colour?: string };
  readonly status?: { readonly replicas?: number; readonly ready?: number };
};
const things: Resource<Thing> = {
  ...{ group: 'test.kvorum.dev', version: 'v1', kind: 'Thing', plural: 'things', isNamespaced: true },
};
const scale = { spec: 'spec.size', status: 'status.replicas', selector: 'status.selector' };

const integer = { type: 'integer' };
const definition: CustomResourceDefinition = {
  metadata: { name: `${things.plural}.${things.group}` },
  spec: {
    ...{ group: things.group, scope: 'Namespaced' },
    names: { kind: things.kind, plural: things.plural, singular: 'thing' },
    versions: [
      {
        ...{ name: 'v1', served: true, storage: true },
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.replicas' },
        },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { size: integer, colour: { type: 'string' } } },
              status: { type: 'object', properties: { replicas: integer, ready: integer } },
            },
          },
        },
      },
    ],
  },
};

const kubeconfig = process.env.KVORUM_TEST_KUBECONFIG;
const fake = kubeconfig === undefined ? await FakeApiServer.start({ resources: [{ ...things, scale }] }) : undefined;
const connection: KubeConnection =
  fake === undefined ? await connectKube({ path: kubeconfig }, { clock: systemClock }) : plainConnection(fake.url);
const client = clientOf('me');
const namespace = `kvorum-conformance-${Date.now()}`;
await client.create(namespaces, { metadata: { name: namespace } });
if (fake === undefined) {
  await client.apply(customResourceDefinitions, definition);
  while (!(await client.serves(things))) await new Promise((resolve) => setTimeout(resolve, 100));
}

after(async () => {
  await client.remove(namespaces, { name: namespace });
  await connection.close();
  await fake?.[Symbol.asyncDispose]();
});

function clientOf(fieldManager: string, pageSize = 500): KubeClient {
  return new KubeClient({ fieldManager, pageSize }, { connection, clock: systemClock });
}

/** A name of its own for each test: the real server's namespace is shared. */
const at = (name: string) => ({ namespace, name });
const thing = (name: string, spec: NonNullable<Thing['spec']>, more: object = {}): Thing => ({
  metadata: { ...at(name), ...more },
  spec,
});
const versionOf = (object: KubeObject | undefined) => object?.metadata.resourceVersion;

test('generations count changes of the spec; a write that changes nothing makes no version', async () => {
  const made = await client.create(things, { ...thing('generation', { size: 1 }), status: { ready: 9 } });
  assert.deepEqual([made.metadata.generation, made.status, made.kind], [1, undefined, 'Thing']);
  const ref = at('generation');
  const labelled = await client.mergePatch<Thing>(things, ref, { metadata: { labels: { x: 'y' } }, status: { ready: 1 } });
  assert.deepEqual([labelled.metadata.generation, labelled.status], [1, undefined]);
  const told = await client.mergePatch<Thing>(
    things,
    ref,
    { status: { ready: 1 }, spec: { size: 7 } },
    { subresource: 'status' },
  );
  assert.deepEqual([told.metadata.generation, told.status, told.spec], [1, { ready: 1 }, { size: 1 }]);
  const sized = await client.mergePatch<Thing>(things, ref, { spec: { size: 2 } });
  assert.deepEqual([sized.metadata.generation, sized.status], [2, { ready: 1 }]);
  assert.equal(versionOf(await client.mergePatch(things, ref, { spec: { size: 2 } })), versionOf(sized));
  assert.equal(versionOf(await client.patchStatus(things, ref, { ready: 1 })), versionOf(sized));
});

test('what is there already, what was changed meanwhile and what is another object are refused', async () => {
  const made = await client.create(things, thing('conflicts', { size: 1 }));
  const ref = at('conflicts');
  const old = { resourceVersion: versionOf(made) };
  await assert.rejects(client.create(things, thing('conflicts', {})), isAlreadyExists);
  await client.update(things, { ...made, spec: { size: 2 } });
  await assert.rejects(client.update(things, { ...made, spec: { size: 3 } }), isConflict);
  await assert.rejects(client.mergePatch(things, ref, { spec: { size: 3 } }, old), isConflict);
  await assert.rejects(client.patchStatus(things, ref, { ready: 3 }, old), isConflict);
  await assert.rejects(client.remove(things, ref, old), isConflict);
  await assert.rejects(client.remove(things, ref, { uid: 'another' }), isConflict);
  assert.equal(await client.remove(things, ref, { uid: made.metadata.uid }), true);
  assert.deepEqual([await client.remove(things, ref), await client.get(things, ref)], [false, undefined]);
});

test('apply: own fields go when they are applied no more, those of others stay, and a clash is a conflict', async () => {
  const name = 'apply';
  await client.apply(things, thing(name, { size: 1, colour: 'red' }, { labels: { mine: '1' } }));
  await clientOf('other').mergePatch(things, at(name), { metadata: { labels: { theirs: '2' } } });
  const applied = await client.apply(things, thing(name, { size: 2 }));
  assert.deepEqual([applied.spec, applied.metadata.labels], [{ size: 2 }, { theirs: '2' }]);
  assert.equal(versionOf(await client.apply(things, thing(name, { size: 2 }))), versionOf(applied));
  await clientOf('other').mergePatch(things, at(name), { spec: { size: 5 } });
  await assert.rejects(client.apply(things, thing(name, { size: 2 }), { force: false }), isConflict);
  assert.equal((await client.apply(things, thing(name, { size: 2 }))).spec?.size, 2);
  const status = await client.apply(things, { metadata: at(name), status: { ready: 1 } }, { subresource: 'status' });
  assert.deepEqual([status.status, status.spec], [{ ready: 1 }, { size: 2 }]);
  assert.deepEqual((await client.apply(things, thing(name, { size: 3 }))).status, { ready: 1 });
  const stale = thing(name, { size: 4 }, { resourceVersion: versionOf(applied) });
  await assert.rejects(client.apply(things, stale), isConflict);
});

test('apply: items of a list with keys are fields of their own', async () => {
  const selector = { matchLabels: { app: 'x' } };
  const containers = (...names: string[]) => names.map((name) => ({ name, image: `${name}:1` }));
  const set = (...names: string[]) => ({
    metadata: at('list'),
    spec: {
      ...{ replicas: 1, serviceName: 'x', selector },
      template: { metadata: { labels: { app: 'x' } }, spec: { containers: containers(...names) } },
    },
  });
  await client.apply(statefulSets, set('a', 'b'));
  await clientOf('other').apply(statefulSets, set('c'), { force: true });
  const applied = await client.apply(statefulSets, set('b'));
  const names = applied.spec?.template?.spec?.containers.map(({ name }) => name);
  assert.deepEqual(names?.toSorted(), ['b', 'c']);
});

test('scale is read and written at the version that was read', async () => {
  await client.create(things, thing('scale', { size: 3 }));
  const read = await client.getScale(things, at('scale'));
  assert.equal(read?.replicas, 3);
  assert.equal((await client.patchScale(things, at('scale'), 4, read)).replicas, 4);
  await assert.rejects(client.patchScale(things, at('scale'), 5, read), isConflict);
  assert.equal((await client.get(things, at('scale')))?.spec?.size, 4);
});

test('an object with finalizers stays, marked, until they are gone', async () => {
  await client.create(things, thing('finalizer', {}, { finalizers: ['test.kvorum.dev/x'] }));
  const ref = at('finalizer');
  assert.equal(await client.remove(things, ref), true);
  const marked = await client.get(things, ref);
  assert.ok(marked?.metadata.deletionTimestamp);
  assert.equal(marked.metadata.generation, 2);
  await client.mergePatch(things, ref, { metadata: { finalizers: [] } });
  assert.equal(await client.get(things, ref), undefined);
});

test('lists come in pages, with selectors; watches go on from their version', async () => {
  const paged = clientOf('me', 2);
  const map = (name: string, app: string) => ({ metadata: { ...at(name), labels: { app } } });
  for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) await client.create(configMaps, map(name, 'paged'));
  const listed = await paged.list(configMaps, { namespace, labelSelector: 'app in (paged)' });
  assert.deepEqual(listed.items.map(({ metadata }) => metadata.name), ['p1', 'p2', 'p3', 'p4', 'p5']);
  assert.ok(listed.items.every(({ kind, apiVersion }) => kind === 'ConfigMap' && apiVersion === 'v1'));
  const byField = await client.list(configMaps, { namespace, fieldSelector: 'metadata.name=p2' });
  assert.equal(byField.items.length, 1);
  const stop = new AbortController();
  const from = { resourceVersion: listed.resourceVersion, timeoutSeconds: 30, idleMs: 20_000 };
  const watch = client.watch(configMaps, { namespace, labelSelector: 'app=paged', ...from }, stop.signal);
  await client.create(configMaps, map('p6', 'paged'));
  await client.create(configMaps, map('unseen', 'other'));
  await client.mergePatch(configMaps, at('p1'), { metadata: { labels: { app: 'other' } } });
  await client.mergePatch(configMaps, at('p2'), { data: { x: 'y' } });
  await client.remove(configMaps, at('p3'));
  const seen: string[] = [];
  for await (const event of watch) {
    if (event.type !== 'BOOKMARK') seen.push(`${event.type} ${event.object.metadata.name}`);
    if (seen.length === 4) break;
  }
  assert.deepEqual(seen, ['ADDED p6', 'DELETED p1', 'MODIFIED p2', 'DELETED p3']);
  stop.abort();
});

test('leases and events want micro times', async () => {
  const lease = (renewTime: string) => ({ metadata: at('micro'), spec: { holderIdentity: 'x', renewTime } });
  await assert.rejects(client.create(leases, lease(new Date().toISOString())), { status: 400 });
  await client.create(leases, lease(microTime(Date.now())));
});

test('an unknown kind is not found, and a wrong body is refused', async () => {
  assert.equal(await client.serves(things), true);
  const unknown: Resource = { ...things, plural: 'others' };
  assert.equal(await client.serves(unknown), false);
  await assert.rejects(client.list(unknown), { status: 404 });
  const wrong = { ...thing('wrong', {}), kind: 'Other' };
  await assert.rejects(client.create(things, wrong), (error) => error instanceof KubeError && error.status === 400);
});

test('an informer, a leader and an event: the machinery together', async () => {
  const deps = { client, clock: systemClock, random: systemRandom, log: silentLog };
  const informer = new Informer(configMaps, { namespaces: [namespace], labelSelector: 'app=together' }, deps);
  informer.start();
  await informer.synced();
  const metadata = { ...at('together'), labels: { app: 'together' } };
  const made = await client.create(configMaps, { metadata });
  await until('the object', () => informer.get(at('together')) !== undefined);
  await client.remove(configMaps, at('together'), { uid: made.metadata.uid });
  await until('its end', () => informer.get(at('together')) === undefined);
  await informer.stop();

  const recorder = new EventRecorder({ controller: 'kvorum.dev/test', instance: 'test' }, deps);
  const text = { type: 'Normal', reason: 'Tested', action: 'Test', note: 'three times' } as const;
  for (let times = 0; times < 3; times++) recorder.record(made, text);
  await recorder.stop();
  const told = (await client.list(events, { namespace })).items.filter(({ reason }) => reason === 'Tested');
  assert.deepEqual(told.map(({ note, series }) => [note, series?.count]), [['three times', 3]]);

  const elector = new LeaseElector({ namespace, name: 'leader', identity: 'a' }, deps);
  const stopping = new AbortController();
  const end = elector.run(async () => stopping.abort(), stopping.signal);
  assert.equal(await end, 'stopped');
  assert.equal((await client.get(leases, at('leader')))?.spec?.holderIdentity ?? '', '');
});
