import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { persistentVolumeClaims } from '../../../operator/kube/resources.ts';
import { FAULT_LOAD } from '../fault-load.ts';
import { until } from '../kubectl.ts';
import { conditionOf, KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { runScenario, type Scene } from '../scenario.ts';

/**
 * A volume is gone for good, as with its disk: the pod that had it cannot run again. With replacePolicy Manual the operator says so, with the
 * command that gives up the volume, and touches nothing; with Automatic it does so itself after a while. The others make the data anew.
 */

const run = promisify(execFile);
const AFTER_SECONDS = 5;
const LIMIT_MS = 120_000;
/** Fewer than by default, so that a member is filled sooner. */
const PARTITIONS = 64;

await runScenario('lost-volume', async (scene) => {
  const { step } = scene;
  const cluster = await KvCluster.settled(scene, 'three members', {
    partitions: PARTITIONS,
    replacePolicy: { mode: 'Manual' },
  });
  await withLoad(
    scene,
    cluster,
    async (load) => {
      await load.phase('Manual', async () => {
        await step('a lost volume is told of', async () => await isTold(scene, cluster, 'demo-2'));
        await step('the command that was told mends it', async () => await mend(scene, cluster, 'demo-2'));
      });
      await load.phase('policy', async () => {
        await step('another policy, which each node takes over as it runs', async () => {
          await cluster.patch({ replacePolicy: { mode: 'Automatic', afterSeconds: AFTER_SECONDS } });
          await cluster.untilSettled();
        });
      });
      await load.phase('Automatic', async () => {
        await step('a lost volume is replaced', async () => await isReplaced(scene, cluster, 'demo-1'));
      });
    },
    FAULT_LOAD,
  );
});

async function isTold(scene: Scene, cluster: KvCluster, pod: string): Promise<void> {
  const claim = await claimOf(scene, pod);
  await loseVolume(scene, pod);
  await until('the loss is told of', LIMIT_MS, async () => {
    const found = conditionOf(await cluster.status(), 'Degraded');
    if (found?.reason === 'VolumeLost') return found;
    throw new Error(`it is ${JSON.stringify(found)}`);
  });
  assert.equal(
    conditionOf(await cluster.status(), 'Ready')?.status,
    'True',
    'two of three members serve every key',
  );
  assert.equal(await claimOf(scene, pod), claim, 'nothing is deleted');
}

/** What the message says word for word. */
async function mend(scene: Scene, cluster: KvCluster, pod: string): Promise<void> {
  const { namespace } = scene.kubectl;
  const before = await memberNumber(cluster, pod);
  const message = conditionOf(await cluster.status(), 'Degraded')?.message ?? '';
  const command = /replace it with (.+)$/.exec(message)?.[1];
  assert.ok(command !== undefined, `there is no command in: ${message}`);
  await run('sh', ['-c', command.replaceAll('kubectl ', `kubectl --namespace ${namespace} `)]);
  await cluster.untilSettled(LIMIT_MS);
  await isAnotherMember(cluster, pod, before);
}

async function isReplaced(scene: Scene, cluster: KvCluster, pod: string): Promise<void> {
  const [claim, before] = [await claimOf(scene, pod), await memberNumber(cluster, pod)];
  await loseVolume(scene, pod);
  await until(`${pod} has another volume`, LIMIT_MS, async () => {
    const now = await claimOf(scene, pod);
    return (now !== undefined && now !== claim) || undefined;
  });
  await cluster.untilSettled(LIMIT_MS);
  await isAnotherMember(cluster, pod, before);
  const told = (await cluster.events()).filter(({ reason }) => reason === 'ReplaceVolume');
  assert.equal(told.length, 1, 'events of the replacement');
}

/** The object of the volume goes without its protection, and the pod with it. */
async function loseVolume({ kubectl, kube }: Scene, pod: string): Promise<void> {
  const ref = { namespace: kubectl.namespace, name: `data-${pod}` };
  const volume = (await kube.get(persistentVolumeClaims, ref))?.spec?.volumeName;
  assert.ok(volume !== undefined, `the claim of ${pod} has no volume`);
  await kubectl.run('delete', 'persistentvolume', volume, '--wait=false');
  const free = JSON.stringify({ metadata: { finalizers: null } });
  await kubectl.run('patch', 'persistentvolume', volume, '--type', 'merge', '--patch', free);
  await kubectl.run('delete', 'pod', pod, '--grace-period=0', '--force');
}

async function isAnotherMember(cluster: KvCluster, pod: string, before: number | undefined): Promise<void> {
  const now = await memberNumber(cluster, pod);
  assert.ok(
    now !== undefined && before !== undefined && now > before,
    `${pod} was member ${before} and is ${now}`,
  );
}

async function memberNumber(cluster: KvCluster, pod: string): Promise<number | undefined> {
  return (await cluster.status()).members?.find(({ name }) => name === pod)?.number;
}

/** The UID of its claim. */
async function claimOf({ kube, kubectl }: Scene, pod: string): Promise<string | undefined> {
  const ref = { namespace: kubectl.namespace, name: `data-${pod}` };
  return (await kube.get(persistentVolumeClaims, ref))?.metadata.uid;
}
