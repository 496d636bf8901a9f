import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pods, type StatefulSet, services, statefulSets } from '../kube/resources.ts';
import { holds } from './holds.ts';
import { ReconcileWorld } from './test-world.ts';

const REF = { namespace: 'shop', name: 'kv' };

test('holds: what was added beside it does not count, what differs or is gone does', () => {
  const applied = {
    spec: { type: 'NodePort', ports: [{ port: 7400 }], selector: { app: 'kv' }, extra: undefined },
  };
  const spec = { type: 'NodePort', ports: [{ port: 7400, nodePort: 31_000 }], selector: { app: 'kv' } };
  assert.ok(holds(applied, { spec: { ...spec, clusterIP: '10.0.0.1' }, status: {} }));
  assert.ok(holds(applied, { spec: { ...spec, ports: [{ port: 80 }, ...spec.ports] } }));
  assert.ok(!holds(applied, { spec: { ...spec, type: 'ClusterIP' } }));
  assert.ok(!holds(applied, { spec: { ...spec, ports: [{ port: 80 }] } }));
  assert.ok(!holds(applied, { spec: { ...spec, selector: {} } }));
  assert.ok(!holds(applied, {}));
});

test('holds: the API server leaves out what is empty', () => {
  for (const empty of [undefined, null, '', {}, []]) assert.ok(holds({ annotations: empty }, {}));
  assert.ok(holds({ podSelector: {} }, { podSelector: { matchLabels: { app: 'kv' } } }));
  assert.ok(!holds({ ingress: [] }, { ingress: 'all' }));
  assert.ok(!holds({ enabled: false }, {}));
});

test('a Service that somebody edited is as the spec says again, and then nothing is written', async () => {
  await using world = await ReconcileWorld.start({ partitions: 8, service: { type: 'NodePort' } });
  await world.settle();
  world.server.change(services, REF, (service) => {
    return { ...service, spec: { ...service.spec, type: 'ClusterIP', selector: { app: 'other' } } };
  });
  await world.settle();
  const { spec } = world.server.get(services, REF) ?? {};
  assert.equal(spec?.type, 'NodePort');
  assert.equal(spec?.selector?.['app.kubernetes.io/instance'], 'kv');
  const before = world.server.writes.length;
  await world.settle();
  assert.equal(world.server.writes.length, before);
});

test('holds: a list of plain values is one value, and quantities are what they amount to', () => {
  assert.ok(!holds({ args: ['server'] }, { args: ['server', '--fast'] }));
  assert.ok(!holds({ args: ['a', 'b'] }, { args: ['b', 'a'] }));
  const resources = { requests: { cpu: 2, memory: '1.5Gi' }, limits: { cpu: '0.5' } };
  assert.ok(
    holds(
      { resources },
      { resources: { requests: { cpu: '2', memory: '1536Mi' }, limits: { cpu: '500m' } } },
    ),
  );
  assert.ok(!holds({ resources }, { resources: { ...resources, limits: { cpu: '501m' } } }));
  assert.ok(!holds({ resources }, { resources: { ...resources, limits: {} } }));
});

test('a StatefulSet that somebody edited is as the spec says again, and no pod ends for it', async () => {
  await using world = await ReconcileWorld.start({
    partitions: 8,
    resources: { requests: { cpu: 2, memory: '1.5Gi' } },
  });
  await world.settle();
  const uids = world.server.list(pods).map(({ metadata }) => metadata.uid);
  world.server.change(statefulSets, REF, (set) => edited(set));
  await world.settle();
  const { spec } = world.server.get(statefulSets, REF) ?? {};
  assert.equal(spec?.updateStrategy?.type, 'OnDelete');
  assert.equal(spec?.persistentVolumeClaimRetentionPolicy?.whenScaled, 'Retain');
  assert.doesNotMatch(spec?.template.spec?.containers[0]?.image ?? '', /mine/);
  assert.equal(spec?.template.metadata?.annotations?.mine, 'kept', 'what was added');
  assert.deepEqual(
    world.server.list(pods).map(({ metadata }) => metadata.uid),
    uids,
  );
  const before = world.server.writes.length;
  await world.settle();
  assert.equal(world.server.writes.length, before);
});

function edited(set: StatefulSet): StatefulSet {
  const { template } = set.spec ?? {};
  const [container, ...others] = template?.spec?.containers ?? [];
  const annotations = { ...template?.metadata?.annotations, mine: 'kept' };
  return {
    ...set,
    spec: {
      ...set.spec,
      updateStrategy: { type: 'RollingUpdate' },
      persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete' },
      template: {
        metadata: { ...template?.metadata, annotations },
        spec: { ...template?.spec, containers: [{ ...container, image: 'mine' }, ...others] },
      },
    },
  } as StatefulSet;
}

for (const replicas of [1, 5])
  test(`a StatefulSet that somebody scaled from 3 to ${replicas} has 3 pods again, and no data is lost`, async () => {
    await using world = await ReconcileWorld.start({ partitions: 8 });
    await world.settle();
    world.server.change(statefulSets, REF, (set) => {
      return { ...set, spec: { ...set.spec, replicas } } as StatefulSet;
    });
    await world.settle();
    assert.equal(world.replicas, 3);
    assert.equal(world.condition('Ready'), 'True Serving');
    const inner = world.store.inner;
    assert.ok(inner?.isWhole);
    assert.equal(inner.members.size, 3);
    for (const claim of ['data-kv-0', 'data-kv-1', 'data-kv-2'])
      assert.ok(world.claimNames().includes(claim), claim);
  });
