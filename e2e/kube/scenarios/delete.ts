import assert from 'node:assert/strict';
import type { Resource } from '../../../operator/kube/resource.ts';
import {
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  pods,
  services,
  statefulSets,
} from '../../../operator/kube/resources.ts';
import { kvClusters } from '../../../operator/reconcile/kinds.ts';
import { assertKeys, putKeys } from '../keys.ts';
import { until } from '../kubectl.ts';
import { KvCluster } from '../kv-cluster.ts';
import { runScenario, type Scene } from '../scenario.ts';

/**
 * A KVCluster that is deleted leaves its volumes, and one of the same name that is made later goes on with them: the same cluster, all keys.
 * With storage.retention.whenDeleted Delete the volumes go too, each with an event first.
 */

const END_LIMIT_MS = 60_000;
const FINALIZER = 'kvorum.dev/volumes';

await runScenario('delete', async (scene) => {
  const { step } = scene;
  const cluster = await KvCluster.create(scene);
  const first = await step('a cluster is made', async () => await settled(cluster));
  const keys = await putKeys(cluster);
  const claims = uidsOf(await claimsOf(scene));
  assert.equal(Object.keys(claims).length, 3);

  await step('it is deleted', async () => {
    await remove(scene, cluster);
    await untilGone(scene);
  });
  assert.deepEqual(uidsOf(await claimsOf(scene)), claims, 'volumes are kept');
  const again = await KvCluster.create(scene);
  const second = await step('it is made again', async () => await settled(again));
  assert.notEqual(second.metadata.uid, first.metadata.uid);
  assert.equal(second.status?.clusterId, first.status?.clusterId, 'the same cluster of the store');
  assert.deepEqual(uidsOf(await claimsOf(scene)), claims, 'on the same volumes');
  await assertKeys(again, keys);

  const volumes = await volumesOf(scene);
  assert.equal(volumes.length, 3);
  await step('its volumes are to go with it', async () => {
    await again.patch({ storage: { retention: { whenDeleted: 'Delete' } } });
    await until('a finalizer holds it', END_LIMIT_MS, async () => {
      return (await again.get()).metadata.finalizers?.includes(FINALIZER) || undefined;
    });
  });
  await step('it is deleted with its volumes', async () => {
    await remove(scene, again);
    await untilClaimsGo(scene, again, Object.keys(claims));
    await untilGone(scene);
  });
  await step('the volumes are gone', async () => {
    await until('no volume is left', END_LIMIT_MS, async () => {
      return (await volumesOf(scene)).length === 0 || undefined;
    });
  });
});

async function settled(cluster: KvCluster) {
  await cluster.untilSettled();
  return await cluster.get();
}

async function remove({ kubectl }: Scene, { name }: KvCluster): Promise<void> {
  await kubectl.run('delete', 'kvcluster', name, '--wait=false');
}

/** The object, and what it owned. */
async function untilGone({ kube, kubectl }: Scene): Promise<void> {
  const { namespace } = kubectl;
  await until('nothing of it is left', END_LIMIT_MS, async () => {
    const kinds: readonly Resource[] = [kvClusters, statefulSets, services, pods];
    const lists = await Promise.all(kinds.map(async (kind) => (await kube.list(kind, { namespace })).items));
    const left = lists.flat().map(({ metadata }) => metadata.name);
    if (left.length > 0) throw new Error(`there is ${left.join(', ')}`);
    return true;
  });
}

/** Of each claim that is being deleted there is an event already, and no pod is left to write on it. */
async function untilClaimsGo(scene: Scene, cluster: KvCluster, names: readonly string[]): Promise<void> {
  const { kube, kubectl } = scene;
  const untold = new Set(names);
  await until('the claims are gone', END_LIMIT_MS, async () => {
    const claims = await claimsOf(scene);
    const staying = claims.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const going = names.filter((name) => !staying.some(({ metadata }) => metadata.name === name));
    if (going.length > 0) {
      const { items } = await kube.list(pods, { namespace: kubectl.namespace });
      assert.equal(items.length, 0, 'pods while the volumes go');
    }
    const notes = (await cluster.events()).filter(({ reason }) => reason === 'DeleteClaim');
    for (const name of going.filter((each) => untold.delete(each)))
      assert.ok(
        notes.some(({ message }) => message?.includes(name)),
        `no event tells that ${name} is deleted`,
      );
    return claims.length === 0 || undefined;
  });
  assert.equal(untold.size, 0);
}

async function claimsOf({ kube, kubectl }: Scene): Promise<readonly PersistentVolumeClaim[]> {
  return (await kube.list(persistentVolumeClaims, { namespace: kubectl.namespace })).items;
}

function uidsOf(claims: readonly PersistentVolumeClaim[]): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(claims.map(({ metadata }) => [metadata.name, metadata.uid]));
}

async function volumesOf({ kubectl }: Scene): Promise<readonly string[]> {
  type Volume = { metadata: { name: string }; spec: { claimRef?: { namespace: string } } };
  const { items } = await kubectl.json<{ items: readonly Volume[] }>('get', 'persistentvolumes');
  const ours = items.filter(({ spec }) => spec.claimRef?.namespace === kubectl.namespace);
  return ours.map(({ metadata }) => metadata.name);
}
