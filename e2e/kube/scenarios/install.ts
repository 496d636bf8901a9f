import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject, Resource } from '../../../operator/kube/resource.ts';
import type { Service, StatefulSet } from '../../../operator/kube/resources.ts';
import {
  configMaps,
  networkPolicies,
  persistentVolumeClaims,
  podDisruptionBudgets,
  pods,
  serviceAccounts,
  services,
  statefulSets,
} from '../../../operator/kube/resources.ts';
import { kvClusters } from '../../../operator/reconcile/kinds.ts';
import { until } from '../kubectl.ts';
import { KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { respClusterMode } from '../resp.ts';
import { runScenario, type Scene } from '../scenario.ts';

/** From `kubectl apply` to the first key, what is there then, and what remains of it after `kubectl delete`. */

const MEMBERS = 3;
const LOAD_MS = 5000;
const DELETE_LIMIT_MS = 120_000;
const GONE_WITH_IT: readonly Resource[] = [
  ...[kvClusters, statefulSets, pods, services, configMaps, podDisruptionBudgets, networkPolicies],
];

await runScenario('install', async (scene) => {
  const { step } = scene;
  const cluster = await step('a KVCluster is applied', async () => await KvCluster.create(scene));
  const status = await step('it is ready', async () => await cluster.untilSettled());
  assert.equal(status.membersReady, `${MEMBERS}/${MEMBERS}`);
  assert.deepEqual(
    status.members?.map(({ name, state, ready }) => [name, state, ready]),
    [0, 1, 2].map((i) => [`demo-${i}`, 'up', true]),
  );
  await step('a key is written, and read of another pod', async () => await firstKey(scene));
  await step('a client of Redis goes to the owner of each key, by the names of pods', async () => {
    await respClusterMode(scene, cluster);
  });
  await step('the store is the one that the status names, made once', async () => await isMadeOnce(cluster));
  await step('nothing warns of itself', async () => await isQuiet(scene));
  await step('its objects are as described', async () => await childrenAreThere(scene));
  await step('kubectl shows and scales it', async () => await columns(scene));
  await withLoad(scene, cluster, async (load) => {
    await load.phase('at rest', async () => await sleep(LOAD_MS));
  });
  await step('it is deleted: its objects go, its volumes stay', async () => await isDeleted(scene, cluster));
});

async function firstKey({ kubectl }: Scene): Promise<void> {
  await kubectl.kvorum('demo-0', 'put', 'hello', 'world');
  assert.equal((await kubectl.kvorum('demo-2', 'get', 'hello')).trimEnd(), 'world');
}

async function isMadeOnce(cluster: KvCluster): Promise<void> {
  const { clusterId } = await cluster.status();
  await using client = await cluster.client();
  assert.equal((await client.cluster()).clusterId, clusterId);
  const made = (await cluster.events()).filter(({ reason }) => reason === 'Bootstrap');
  assert.deepEqual(
    made.map(({ count = 1 }) => count),
    [1],
    `events of the bootstrap: ${JSON.stringify(made)}`,
  );
}

/** The seed of each pod is the name of all of them, itself included: that is as it should be. */
async function isQuiet({ kubectl }: Scene): Promise<void> {
  const logs = await kubectl.run('logs', '--selector', 'app.kubernetes.io/instance=demo', '--tail=-1');
  assert.doesNotMatch(logs, /reached itself/);
}

async function childrenAreThere({ kube, kubectl }: Scene): Promise<void> {
  const ref = { namespace: kubectl.namespace, name: 'demo' };
  const owner = (await kube.get(kvClusters, ref))?.metadata.uid;
  const found = {
    set: await kube.get(statefulSets, ref),
    peers: await kube.get(services, { ...ref, name: 'demo-peers' }),
    client: await kube.get(services, ref),
    config: await kube.get(configMaps, { ...ref, name: 'demo-config' }),
    budget: await kube.get(podDisruptionBudgets, ref),
    policy: await kube.get(networkPolicies, ref),
    account: await kube.get(serviceAccounts, ref),
  };
  for (const [what, object] of Object.entries(found))
    assert.deepEqual(
      object?.metadata.ownerReferences?.map(({ uid, controller }) => [uid, controller]),
      [[owner, true]],
      `the owner of ${what}`,
    );
  asDescribed(found.set, found.peers);
  assert.equal(found.budget?.status?.disruptionsAllowed, 1);
}

function asDescribed(set: StatefulSet | undefined, peers: Service | undefined): void {
  assert.equal(set?.spec?.podManagementPolicy, 'Parallel');
  assert.equal(set?.spec?.updateStrategy?.type, 'OnDelete');
  assert.equal(set?.spec?.template.spec?.automountServiceAccountToken, false);
  assert.equal(peers?.spec?.clusterIP, 'None');
  assert.equal(peers?.spec?.publishNotReadyAddresses, true);
}

/** What is asked for stays 3: only that the ways are there. */
async function columns({ kubectl }: Scene): Promise<void> {
  const [head = '', row = ''] = (await kubectl.run('get', 'kvc', 'demo')).split('\n');
  for (const column of ['NAME', 'READY', 'MEMBERS', 'AGE'])
    assert.match(head, new RegExp(`\\b${column}\\b`), `columns of kubectl get kvc: ${head}`);
  assert.match(row, /^demo\b.*\b3\/3\b/);
  const scale = await kubectl.json<Scale>('get', 'kvc', 'demo', '--subresource=scale');
  assert.deepEqual([scale.spec.replicas, scale.status.replicas], [MEMBERS, MEMBERS]);
  const selected = await kubectl.pods(scale.status.selector);
  assert.equal(selected.length, MEMBERS, 'pods by the selector of the scale');
}

type Scale = {
  readonly spec: { readonly replicas: number };
  readonly status: { readonly replicas: number; readonly selector: string };
};

/** Kubernetes puts a ConfigMap of its own into every namespace. */
function isItsOwn({ metadata }: KubeObject): boolean {
  return metadata.name !== 'kube-root-ca.crt';
}

async function isDeleted({ kube, kubectl }: Scene, cluster: KvCluster): Promise<void> {
  const { namespace } = kubectl;
  await kubectl.run('delete', 'kvc', cluster.name, '--wait=false');
  await until('its objects are gone', DELETE_LIMIT_MS, async () => {
    const left = await Promise.all(
      GONE_WITH_IT.map(async (resource) => (await kube.list(resource, { namespace })).items.filter(isItsOwn)),
    );
    if (left.flat().length === 0) return true;
    throw new Error(`left: ${left.flat().map(({ kind, metadata }) => `${kind} ${metadata.name}`)}`);
  });
  const claims = await kube.list(persistentVolumeClaims, { namespace });
  assert.deepEqual(
    claims.items.map(({ metadata }) => metadata.name).toSorted(),
    [0, 1, 2].map((i) => `data-demo-${i}`),
  );
}
