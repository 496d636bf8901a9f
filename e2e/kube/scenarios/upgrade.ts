import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { History } from '../history.ts';
import { imageOf, KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { runScenario } from '../scenario.ts';

/** Another image under load: one pod at a time, the highest ordinal first, each when the data of the one before is whole again. */

const REST_MS = 5000;
const PODS = ['demo-0', 'demo-1', 'demo-2'];

await runScenario('upgrade', async (scene) => {
  const { step } = scene;
  const cluster = await KvCluster.settled(scene, 'three members');
  await using history = await History.start(scene, cluster);
  await withLoad(scene, cluster, async (load) => {
    await load.phase('at rest', async () => await sleep(REST_MS));
    await load.phase('upgrade', async () => {
      await step('all run the other image', async () => {
        await cluster.patch({ image: imageOf(scene.imageNext) });
        await cluster.untilSettled();
      });
    });
    await load.phase('at rest again', async () => await sleep(REST_MS));
  });
  assert.deepEqual(history.ended, PODS.toReversed(), 'the order in which pods were told to end');
  assert.equal(history.mostAway(PODS), 1, 'pods that were away at once');
  assert.deepEqual(history.statusesOf('Upgrading'), ['False', 'True', 'False']);
  assert.deepEqual(history.statusesOf('Ready'), ['True'], 'it was ready all the time');
  for (const { metadata, spec, status } of await cluster.pods()) {
    assert.equal(spec?.containers[0]?.image, scene.imageNext, `the image of ${metadata.name}`);
    assert.equal(status?.containerStatuses?.[0]?.restartCount, 0, `restarts of ${metadata.name}`);
  }
});
