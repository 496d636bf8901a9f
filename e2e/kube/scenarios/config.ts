import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeConfig } from '../../../client/src/index.ts';
import { podDisruptionBudgets, services } from '../../../operator/kube/resources.ts';
import { History } from '../history.ts';
import { until } from '../kubectl.ts';
import { KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { respAnswerToStranger, respClient } from '../resp.ts';
import { runScenario, type Scene } from '../scenario.ts';

/**
 * Changes of the spec under load, with tokens: what pods are not made of restarts none, nor does a live setting, which all nodes take over; any
 * other setting of the store restarts each once.
 */

const REST_MS = 5000;
const LIMIT_MS = 30_000;
const VALUE_BYTES_MAX = 4096;
const KEYS_MAX = 1234;
const PODS = ['demo-0', 'demo-1', 'demo-2'];

await runScenario('config', async (scene) => {
  const { step } = scene;
  const cluster = await KvCluster.settled(scene, 'three members that need tokens', {
    auth: { enabled: true },
  });
  await step('clients of Redis need tokens as well', async () => await respNeedsToken(scene, cluster));
  await using history = await History.start(scene, cluster);
  await withLoad(scene, cluster, async (load) => {
    await load.phase('at rest', async () => await sleep(REST_MS));
    await load.phase('what restarts none', async () => await changeAround(scene, cluster));
    await load.phase('a live setting', async () => await changeLive(scene, cluster));
    assert.deepEqual(history.ended, [], 'no pod was told to end');
    await load.phase('a setting of the store', async () => await changeSetting(scene, cluster));
  });
  assert.deepEqual(history.ended, PODS.toReversed(), 'the order in which pods were told to end');
  assert.equal(history.mostAway(PODS), 1, 'pods that were away at once');
  // Once for each of the two settings; the first may be in effect before anybody sees that it is not.
  const upgrading = history.statusesOf('Upgrading').join();
  assert.match(upgrading, /^False(,True,False){1,2}$/);
  assert.deepEqual(history.statusesOf('Ready'), ['True'], 'it was ready all the time');
});

async function respNeedsToken(scene: Scene, cluster: KvCluster): Promise<void> {
  assert.match(String(await respAnswerToStranger(scene, cluster)), /NOAUTH/);
  const { token } = await cluster.address();
  const known = await respClient(scene, cluster, token);
  try {
    assert.equal(await known.set('by', 'somebody'), 'OK');
    assert.equal(await known.get('by'), 'somebody');
  } finally {
    known.disconnect();
  }
}

async function changeAround({ step, kube, kubectl }: Scene, cluster: KvCluster): Promise<void> {
  const ref = { namespace: kubectl.namespace, name: cluster.name };
  await step('the Service is of another type, and the PodDisruptionBudget goes', async () => {
    await cluster.patch({
      service: { type: 'NodePort', annotations: { 'example.com/tier': 'gold' } },
      podDisruptionBudget: { enabled: false },
    });
    await until('the objects follow', LIMIT_MS, async () => {
      const service = await kube.get(services, ref);
      const hasBudget = (await kube.get(podDisruptionBudgets, ref)) !== undefined;
      const isSo =
        service?.spec?.type === 'NodePort' && service.metadata.annotations?.['example.com/tier'] === 'gold';
      return (isSo && !hasBudget) || undefined;
    });
    await cluster.untilSettled();
  });
  await step('both are as before', async () => {
    await cluster.patch({ service: null, podDisruptionBudget: null });
    await until('the objects follow', LIMIT_MS, async () => {
      const type = (await kube.get(services, ref))?.spec?.type;
      const hasBudget = (await kube.get(podDisruptionBudgets, ref)) !== undefined;
      return (type === 'ClusterIP' && hasBudget) || undefined;
    });
    await cluster.untilSettled();
  });
}

/** The kubelets bring the file to the pods within a minute or two; until then the KVCluster is not as wished. */
async function changeLive({ step, kubectl }: Scene, cluster: KvCluster): Promise<void> {
  await step(`resp.keysMax is ${KEYS_MAX}, without a restart`, async () => {
    await cluster.patch({ config: { 'resp.keysMax': KEYS_MAX } });
    await cluster.untilSettled();
    for (const pod of PODS) {
      const text = await kubectl.kvorum(pod, '--output', 'json', 'nodes', 'config');
      const { settings, restartNeeded } = JSON.parse(text) as NodeConfig;
      assert.equal(settings.find(({ name }) => name === 'resp.keysMax')?.value, KEYS_MAX, pod);
      assert.deepEqual(restartNeeded, [], pod);
    }
  });
}

async function changeSetting({ step }: Scene, cluster: KvCluster): Promise<void> {
  await step(`limits.valueBytesMax is ${VALUE_BYTES_MAX}`, async () => {
    await cluster.patch({ config: { 'limits.valueBytesMax': VALUE_BYTES_MAX } }); // beside the live one
    await cluster.untilSettled();
  });
  await step('the store goes by it', async () => {
    await using client = await cluster.client();
    await client.put('default', 'fits', 'v'.repeat(VALUE_BYTES_MAX));
    const tooLarge = client.put('default', 'large', 'v'.repeat(VALUE_BYTES_MAX + 1));
    await assert.rejects(tooLarge, { code: 'VALUE_TOO_LARGE' });
  });
}
