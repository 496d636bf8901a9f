import assert from 'node:assert/strict';
import { FAULT_LOAD, OUTAGE_LOAD } from '../fault-load.ts';
import { History } from '../history.ts';
import { assertKeys, putKeys } from '../keys.ts';
import { KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { killProcess, needOwnNode } from '../own-node.ts';
import { livesOf, untilBack } from '../pod-lives.ts';
import { runScenario, type Scene } from '../scenario.ts';

/**
 * spec.restartedAt restarts all pods under load, one at a time. Then all processes die in the same moment, and later all pods at once: what was
 * acknowledged before is there when they are back.
 */

const PODS = ['demo-0', 'demo-1', 'demo-2'] as const;
const BACK_LIMIT_MS = 90_000;

await runScenario('restart', async (scene) => {
  needOwnNode();
  const { step, kubectl } = scene;
  const cluster = await KvCluster.settled(scene, 'three members');
  const keys = await putKeys(cluster);
  await withLoad(
    scene,
    cluster,
    async (load) => {
      await load.phase('restartedAt', async () => {
        await step('all restart, one at a time', async () => await restartAll(scene, cluster));
      });
    },
    FAULT_LOAD,
  );
  await withLoad(
    scene,
    cluster,
    async (load) => {
      await load.phase('all killed', async () => {
        await step('all processes are killed at once', async () => {
          const before = await livesOf(cluster);
          await Promise.all(PODS.map(async (pod) => await killProcess(kubectl.namespace, pod)));
          await untilBack(cluster, PODS, before, BACK_LIMIT_MS);
          await cluster.untilSettled(BACK_LIMIT_MS);
        });
      });
      await load.phase('all pods gone', async () => {
        await step('all pods are killed at once', async () => {
          const before = await livesOf(cluster);
          await kubectl.run('delete', 'pods', ...PODS, '--grace-period=0', '--force');
          await untilBack(cluster, PODS, before, BACK_LIMIT_MS);
          await cluster.untilSettled(BACK_LIMIT_MS);
        });
      });
    },
    OUTAGE_LOAD,
  );
  await step('keys from before are as they were', async () => await assertKeys(cluster, keys));
});

async function restartAll(scene: Scene, cluster: KvCluster): Promise<void> {
  await using history = await History.start(scene, cluster);
  await cluster.patch({ restartedAt: new Date().toISOString() });
  await cluster.untilSettled();
  assert.deepEqual(history.ended, ['demo-2', 'demo-1', 'demo-0'], 'pods that were told to end, in order');
  assert.equal(history.mostAway(PODS), 1, 'pods that were away at once');
  assert.deepEqual(new Set(history.statusesOf('Ready')), new Set(['True']), 'it was ready all the time');
  assert.deepEqual(history.statusesOf('Upgrading'), ['False', 'True', 'False']);
}
