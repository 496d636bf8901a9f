import assert from 'node:assert/strict';
import { FAULT_LOAD } from '../fault-load.ts';
import { until } from '../kubectl.ts';
import { KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { untilAlone } from '../operator-pods.ts';
import { killComponent, needOwnNode, startComponents } from '../own-node.ts';
import { runScenario, type Scene } from '../scenario.ts';

/**
 * The API server is killed while a cluster grows, and comes back after a while. The store serves all the time: no request of it needs
 * Kubernetes. The operator, which can do nothing meanwhile, goes on where it was.
 */

const DOWN_MS = 20_000;
const LIMIT_MS = 120_000;

await runScenario('api-server', async (scene) => {
  needOwnNode();
  const { step } = scene;
  await step('no other scenario runs', async () => await untilAlone(scene));
  const cluster = await KvCluster.settled(scene, 'three members');
  await withLoad(
    scene,
    cluster,
    async (load) => {
      await load.phase('3 -> 4', async () => {
        await step('a fourth pod is made', async () => await begin(scene, cluster, 4));
      });
      await load.phase('no API server', async () => {
        await step('the API server is killed', async () => killComponent('kube-apiserver'));
        await step('for a while', async () => await isAway(scene));
      });
      await load.phase('back', async () => {
        await step('it is started again', startComponents);
        await step('four members', async () => await becomes(cluster, 4));
      });
    },
    FAULT_LOAD,
  );
});

/** Far enough that there is something to go on with. */
async function begin({ kubectl }: Scene, cluster: KvCluster, members: number): Promise<void> {
  await kubectl.run('scale', 'kvc', cluster.name, '--replicas', String(members));
  await until(
    `${members} pods`,
    LIMIT_MS,
    async () => (await cluster.pods()).length === members || undefined,
  );
}

async function isAway({ kubectl }: Scene): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, DOWN_MS));
  await assert.rejects(kubectl.run('get', 'pods', '--request-timeout=2s'), /refused|EOF|timeout/);
}

async function becomes(cluster: KvCluster, members: number): Promise<void> {
  const status = await cluster.untilSettled(LIMIT_MS);
  assert.equal(status.membersReady, `${members}/${members}`);
}
