import assert from 'node:assert/strict';
import { test } from 'node:test';
import { services } from '../kube/resources.ts';
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
