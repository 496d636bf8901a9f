import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { persistentVolumeClaims } from '../../../operator/kube/resources.ts';
import { History } from '../history.ts';
import { KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { runScenario, type Scene } from '../scenario.ts';

/** Three members become five and three again, under load: nothing fails, nothing is lost, and the status says what goes on. */

const REST_MS = 5000;

await runScenario('scale', async (scene) => {
  const { step } = scene;
  const storage = { size: '1Gi', retention: { whenScaled: 'Delete' } } as const;
  const cluster = await KvCluster.settled(scene, 'three members', { storage });
  await using history = await History.start(scene, cluster);
  await withLoad(scene, cluster, async (load) => {
    await load.phase('3 at rest', async () => await sleep(REST_MS));
    await load.phase('3 -> 5', async () => await step('five members', async () => await become(cluster, 5)));
    await load.phase('5 at rest', async () => await sleep(REST_MS));
    await load.phase('5 -> 3', async () => await step('three members', async () => await become(cluster, 3)));
    await load.phase('3 again', async () => await sleep(REST_MS));
  });
  const up = history.statusesOf('ScalingUp');
  // A rebalance that the store begins by itself later on, to even out what members hold, is told as such as well.
  assert.deepEqual([up.slice(0, 3), up.at(-1)], [['False', 'True', 'False'], 'False']);
  assert.deepEqual(history.statusesOf('ScalingDown'), ['False', 'True', 'False']);
  assert.deepEqual(new Set(history.statusesOf('Ready')), new Set(['True']), 'it was ready all the time');
  assert.deepEqual(history.ended.toSorted(), ['demo-3', 'demo-4'], 'no other pod was told to end');
  await step('the volumes of those that left are gone', async () => await onlyThreeClaims(scene));
});

async function become(cluster: KvCluster, members: number): Promise<void> {
  await cluster.scale(members);
  const { members: told = [] } = await cluster.untilSettled();
  assert.deepEqual(
    told.map(({ name, state }) => `${name} ${state}`),
    Array.from({ length: members }, (_, i) => `demo-${i} up`),
  );
  assert.equal((await cluster.pods()).length, members);
}

async function onlyThreeClaims({ kube, kubectl }: Scene): Promise<void> {
  const { items } = await kube.list(persistentVolumeClaims, { namespace: kubectl.namespace });
  const names = items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);
  assert.deepEqual(names.toSorted(), ['data-demo-0', 'data-demo-1', 'data-demo-2']);
}
