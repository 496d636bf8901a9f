import assert from 'node:assert/strict';
import { podDisruptionBudgets } from '../../../operator/kube/resources.ts';
import { PLANNED_LOAD } from '../fault-load.ts';
import { History } from '../history.ts';
import { until } from '../kubectl.ts';
import { KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { untilAlone } from '../operator-pods.ts';
import { livesOf, untilBack } from '../pod-lives.ts';
import { runScenario, type Scene } from '../scenario.ts';

/**
 * Pods are evicted from their node as kubectl drain does it: through the API of evictions, which keeps to the PodDisruptionBudget. One may go,
 * the next only once that one is back. Then kubectl itself drains the node, which is the only one: it gets one pod and no second, and all is
 * well again once the node takes pods.
 */

const PODS = ['demo-0', 'demo-1', 'demo-2'] as const;
/** kubectl drains by labels: none but these pods. */
const DRAINED = { 'kvorum.dev/e2e': 'drain' };
const BACK_LIMIT_MS = 90_000;
const DRAIN_SECONDS = 20;

await runScenario('drain', async (scene) => {
  const { step } = scene;
  await step('no other scenario runs', async () => await untilAlone(scene));
  const label = `drain-${scene.kubectl.namespace}`;
  const labels = { ...DRAINED, 'kvorum.dev/e2e': label };
  const cluster = await KvCluster.settled(scene, 'three members', { podTemplate: { labels } });
  await withLoad(
    scene,
    cluster,
    async (load) => {
      await load.phase('evictions', async () => {
        await step('pods are evicted, one at a time', async () => await evictAll(scene, cluster));
      });
      await load.phase('kubectl drain', async () => {
        await step('the node is drained, and gives one pod', async () => await drain(scene, cluster, label));
      });
    },
    PLANNED_LOAD,
  );
});

async function evictAll(scene: Scene, cluster: KvCluster): Promise<void> {
  await using history = await History.start(scene, cluster);
  for (const [index, pod] of PODS.entries()) {
    const next = PODS[(index + 1) % PODS.length] ?? pod;
    const before = await livesOf(cluster);
    await untilAllowed(scene, 1);
    await evict(scene, pod);
    await assert.rejects(
      evict(scene, next),
      /TooManyRequests|disruption budget/,
      `${next} while ${pod} is away`,
    );
    await untilBack(cluster, [pod], before, BACK_LIMIT_MS);
    await cluster.untilSettled(BACK_LIMIT_MS);
  }
  assert.equal(history.mostAway(PODS), 1, 'pods that were away at once');
  assert.deepEqual(history.ended, PODS);
}

/** As the budget counts, which is a moment behind. */
async function untilAllowed({ kube, kubectl }: Scene, wanted: number): Promise<void> {
  await until(`the budget allows ${wanted}`, BACK_LIMIT_MS, async () => {
    const budget = await kube.get(podDisruptionBudgets, { namespace: kubectl.namespace, name: 'demo' });
    return budget?.status?.disruptionsAllowed === wanted || undefined;
  });
}

async function evict({ kubectl }: Scene, name: string): Promise<void> {
  const { namespace } = kubectl;
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  await kubectl.send(JSON.stringify(eviction), 'create', '--raw', path, '--filename', '-');
}

async function drain(scene: Scene, cluster: KvCluster, label: string): Promise<void> {
  const { kubectl } = scene;
  const node = (await cluster.pods())[0]?.spec?.nodeName ?? '';
  const select = ['drain', node, '--pod-selector', `kvorum.dev/e2e=${label}`];
  await using history = await History.start(scene, cluster);
  const before = await livesOf(cluster);
  try {
    await assert.rejects(kubectl.run(...select), /--delete-emptydir-data/, 'pods have an emptyDir, for /tmp');
    await untilAllowed(scene, 1);
    const evicting = kubectl.run(...select, '--delete-emptydir-data', `--timeout=${DRAIN_SECONDS}s`);
    await assert.rejects(evicting, /disruption budget|global timeout/);
    assert.equal(history.ended.length, 1, `pods that were evicted: ${history.ended.join(', ')}`);
  } finally {
    await kubectl.run('uncordon', node);
  }
  await untilBack(cluster, history.ended, before, BACK_LIMIT_MS);
  await cluster.untilSettled(BACK_LIMIT_MS);
}
