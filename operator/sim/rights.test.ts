import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificates, podMonitors } from '../reconcile/kinds.ts';
import { grantedRights, neededRights } from './rights.ts';
import { runSeed } from './run.ts';
import { SimWorld } from './world.ts';

const MINUTE_MS = 60_000;

/** Rights that no call shows the use of, and why they are there. */
const SILENT = new Map([
  [
    'kvorum.dev/kvclusters/finalizers update',
    'owner references that hold up a deletion need it where that is enforced',
  ],
]);

/** A life in which every act comes up that a user can bring about. */
async function lifeOfACluster(): Promise<ReadonlySet<string>> {
  const world = new SimWorld(1, [{ namespace: 'shop', name: 'kv', volumes: 'network' }]);
  const { api } = world;
  const [{ user } = assert.fail()] = world.clusters;
  for (const resource of [podMonitors, certificates]) api.define(resource);
  const change = async (spec: object, minutes = 10): Promise<void> => {
    Object.assign(user.spec, spec);
    user.write();
    await world.run(minutes * MINUTE_MS);
  };
  const storage = { size: '1Gi', retention: { whenDeleted: 'Delete', whenScaled: 'Delete' } };
  const issuerRef = { name: 'ca', kind: 'Issuer' };
  const on = { enabled: true };
  Object.assign(user.spec, {
    auth: on,
    tls: { http: { issuerRef } },
    monitoring: { podMonitor: on },
    storage,
  });
  world.start();
  await world.run(10 * MINUTE_MS);
  await change({ replicas: 4, restartedAt: '2026-01-02T00:00:00Z' }, 20);
  await change({ replicas: 3, storage: { ...storage, size: '2Gi' } }, 20);
  const off = { enabled: false };
  await change(
    { monitoring: { podMonitor: off }, networkPolicy: off, podDisruptionBudget: off, tls: {} },
    20,
  );
  user.isWanted = false;
  await change({});
  world.stop();
  return world.checks.rights;
}

test('the chart lets the operator do what it does, and nothing else', async () => {
  const { rights } = await runSeed(1); // where events come again and are counted
  const used = new Set([...(await lifeOfACluster()), ...rights].flatMap(neededRights));
  const granted = grantedRights();
  assert.deepEqual([...used].filter((right) => !granted.has(right)).toSorted(), [], 'not granted');
  const unused = [...granted].filter((right) => !used.has(right) && !SILENT.has(right));
  assert.deepEqual(unused.toSorted(), [], 'granted, and never used');
});
