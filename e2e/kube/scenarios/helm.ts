import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { services } from '../../../operator/kube/resources.ts';
import { FAULT_LOAD } from '../fault-load.ts';
import { until } from '../kubectl.ts';
import { imageOf, KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { OPERATOR_NAMESPACE, operatorMetric, untilAlone, untilLeads } from '../operator-pods.ts';
import { runScenario, type Scene } from '../scenario.ts';

/**
 * The operator is upgraded by its chart, rolled back, uninstalled and installed again, each time while a cluster serves: not one pod of the store is
 * restarted for it, each operator takes over what the one before it made, and what is declared outlives the release.
 */

const run = promisify(execFile);
const CHART = new URL('../../../charts/kvorum', import.meta.url).pathname;
const RELEASE = 'kvorum';
const DEPLOYMENT = 'kvorum-operator';
const LIMIT_MS = 60_000;

await runScenario('helm', async (scene) => {
  const { step } = scene;
  await step('no other scenario runs', async () => await untilAlone(scene));
  const values = `${scene.directory}/values.yaml`;
  await writeFile(values, await helm('get', 'values', RELEASE, '--output', 'yaml'));
  const cluster = await KvCluster.settled(scene, 'three members');
  const [pods, former] = [await podsOf(cluster), await operatorImage(scene)];
  const isUntouched = async (): Promise<void> =>
    assert.deepEqual(await podsOf(cluster), pods, 'pods of the store, and how often they were restarted');
  try {
    await withLoad(
      scene,
      cluster,
      async (load) => {
        await load.phase('helm upgrade', async () => {
          await step('another operator by helm upgrade', async () => await upgrade(scene, cluster));
          await isUntouched();
        });
        await load.phase('helm rollback', async () => {
          await step('the former one by helm rollback', async () => await rollback(scene, cluster, former));
          await isUntouched();
        });
        await load.phase('no operator', async () => {
          await step('none, by helm uninstall', async () => await uninstall(scene, cluster));
          await isUntouched();
        });
        await load.phase('helm install', async () => {
          await step('one again', async () => await install(scene, cluster, values));
          await isUntouched();
        });
      },
      FAULT_LOAD,
    );
  } finally {
    await installRelease(values);
  }
});

/** What of the pods must stay as it is. */
async function podsOf(cluster: KvCluster): Promise<readonly unknown[]> {
  return (await cluster.pods()).map(({ metadata, status }) => ({
    name: metadata.name,
    uid: metadata.uid,
    restarts: status?.containerStatuses?.map(({ restartCount }) => restartCount),
  }));
}

/** To an image of another name, as another version has. */
async function upgrade(scene: Scene, cluster: KvCluster): Promise<void> {
  const { repository, tag } = imageOf(scene.imageNext);
  const { holder } = await untilLeads(scene);
  const set = `image.repository=${repository},image.tag=${tag},operator.logLevel=debug`;
  await helm('upgrade', RELEASE, CHART, '--reuse-values', '--set', set, '--wait', '--timeout', '2m');
  assert.equal(await operatorImage(scene), scene.imageNext);
  await works(scene, cluster, holder, 'upgraded');
}

async function rollback(scene: Scene, cluster: KvCluster, former: string | undefined): Promise<void> {
  const { holder } = await untilLeads(scene);
  await helm('rollback', RELEASE, '--wait', '--timeout', '2m');
  assert.equal(await operatorImage(scene), former);
  await works(scene, cluster, holder, 'rolled-back');
}

/** The kind, and with it what is declared of it, outlives the release. */
async function uninstall({ kubectl }: Scene, cluster: KvCluster): Promise<void> {
  await helm('uninstall', RELEASE, '--wait');
  await kubectl.run('get', 'customresourcedefinition', 'kvclusters.kvorum.dev');
  assert.equal((await cluster.get()).metadata.deletionTimestamp, undefined);
  const left = await kubectl.run('get', 'deployments', '--namespace', OPERATOR_NAMESPACE, '--output', 'name');
  assert.equal(left, '', 'Deployments of the release');
}

async function install(scene: Scene, cluster: KvCluster, values: string): Promise<void> {
  await installRelease(values);
  await works(scene, cluster, undefined, 'installed-again');
}

async function installRelease(values: string): Promise<void> {
  await helm(
    'upgrade',
    '--install',
    RELEASE,
    CHART,
    '--reset-values',
    '--values',
    values,
    '--wait',
    '--timeout',
    '2m',
  );
}

/** Another operator than that of before leads, has looked at the cluster, finds it as wished, and does what is asked of it. */
async function works(
  scene: Scene,
  cluster: KvCluster,
  before: string | undefined,
  what: string,
): Promise<void> {
  await untilLeads(scene, before);
  await cluster.patch({ service: { annotations: { 'kvorum.dev/e2e': what } } });
  await until('the operator does what is asked of it', LIMIT_MS, async () => {
    const ref = { namespace: scene.kubectl.namespace, name: cluster.name };
    const service = await scene.kube.get(services, ref);
    return service?.metadata.annotations?.['kvorum.dev/e2e'] === what || undefined;
  });
  await cluster.untilSettled(LIMIT_MS);
  const ended = await operatorMetric(scene, 'kvorum_operator_reconciles_total');
  const good = ended.filter(({ labels }) => /result="(success|requeue_after)"/.test(labels));
  assert.ok(
    good.some(({ value }) => value > 0),
    'reconciles that ended well',
  );
}

async function operatorImage({ kubectl }: Scene): Promise<string | undefined> {
  type Deployment = { spec: { template: { spec: { containers: readonly { image: string }[] } } } };
  const { spec } = await kubectl.json<Deployment>(
    'get',
    'deployment',
    DEPLOYMENT,
    '--namespace',
    OPERATOR_NAMESPACE,
  );
  return spec.template.spec.containers[0]?.image;
}

async function helm(...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run('helm', ['--namespace', OPERATOR_NAMESPACE, ...args]);
    return stdout;
  } catch (cause) {
    const { stderr } = cause as { stderr?: string };
    const hint = 'this scenario needs helm and the release that ./dev.sh k8s operator makes';
    throw new Error(`helm ${args.join(' ')}: ${stderr?.trim() || String(cause)} (${hint})`, { cause });
  }
}
