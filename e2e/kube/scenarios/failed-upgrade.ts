import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../kubectl.ts';
import { conditionOf, imageOf, KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { runScenario, type Scene } from '../scenario.ts';

/** An image that nobody has, under load: the first pod that does not come back keeps the others as they are, and the former image mends it. */

const REST_MS = 5000;
const LIMIT_MS = 120_000;

await runScenario('failed-upgrade', async (scene) => {
  const { step } = scene;
  const cluster = await KvCluster.settled(scene, 'three members');
  const [first, second] = await cluster.pods();
  await withLoad(scene, cluster, async (load) => {
    await load.phase('at rest', async () => await sleep(REST_MS));
    await load.phase('an image that is nowhere', async () => await failUpgrade(scene, cluster));
    await load.phase('the former image', async () => {
      await step('the former image again: all are there', async () => {
        await cluster.patch({ image: imageOf(scene.image) });
        await cluster.untilSettled();
      });
    });
  });
  const pods = await cluster.pods();
  assert.deepEqual(
    pods.slice(0, 2).map(({ metadata }) => metadata.uid),
    [first?.metadata.uid, second?.metadata.uid],
    'the other two were never restarted',
  );
  for (const { spec } of pods) assert.equal(spec?.containers[0]?.image, scene.image);
});

async function failUpgrade(scene: Scene, cluster: KvCluster): Promise<void> {
  await scene.step('the status says which pod does not come back, and what to do', async () => {
    await cluster.patch({ image: { tag: 'nowhere' } });
    await until('the rollout is stuck', LIMIT_MS, async () => {
      const status = await cluster.status();
      const degraded = conditionOf(status, 'Degraded');
      if (degraded?.reason !== 'RolloutStuck') throw new Error(`Degraded is ${JSON.stringify(degraded)}`);
      assert.match(degraded.message, /demo-2 does not come back .*Image.*apply the former one again/);
      assert.equal(conditionOf(status, 'Ready')?.status, 'True');
      return true;
    });
  });
  const images = (await cluster.pods()).map(({ spec }) => spec?.containers[0]?.image);
  assert.deepEqual(images.slice(0, 2), [scene.image, scene.image]);
}
