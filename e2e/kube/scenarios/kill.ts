import assert from 'node:assert/strict';
import { persistentVolumeClaims } from '../../../operator/kube/resources.ts';
import { FAULT_LOAD } from '../fault-load.ts';
import { until } from '../kubectl.ts';
import { KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { killProcess, needOwnNode } from '../own-node.ts';
import { livesOf, untilBack } from '../pod-lives.ts';
import { runScenario, type Scene } from '../scenario.ts';

/**
 * Under load one pod is killed with its process, of another one the process alone, and the third one loses its volume. The first two come
 * back with what they had; the last one is replaced: a new member, to which the others give its data. Nothing acknowledged is lost.
 */

const BACK_LIMIT_MS = 60_000;
/** Fewer than by default, so that a member is filled sooner. */
const PARTITIONS = 64;

await runScenario('kill', async (scene) => {
  needOwnNode();
  const { step } = scene;
  const spec = { partitions: PARTITIONS };
  const cluster = await KvCluster.settled(scene, 'three members', spec);
  await withLoad(
    scene,
    cluster,
    async (load) => {
      await load.phase('pod killed', async () => {
        await step('a pod is killed and comes back', async () => await killPod(scene, cluster, 'demo-2'));
      });
      await load.phase('kill -9', async () => {
        await step(
          'a process is killed and comes back',
          async () => await killInPod(scene, cluster, 'demo-0'),
        );
      });
      await load.phase('volume lost', async () => {
        await step(
          'a volume is deleted and replaced',
          async () => await loseVolume(scene, cluster, 'demo-1'),
        );
      });
    },
    FAULT_LOAD,
  );
});

async function killPod(scene: Scene, cluster: KvCluster, name: string): Promise<void> {
  const [before, claim] = [await livesOf(cluster), await claimOf(scene, name)];
  await scene.kubectl.run('delete', 'pod', name, '--grace-period=0', '--force');
  await untilBack(cluster, [name], before, BACK_LIMIT_MS);
  await cluster.untilSettled(BACK_LIMIT_MS);
  assert.equal(await claimOf(scene, name), claim, 'it has the volume that it had');
}

async function killInPod(scene: Scene, cluster: KvCluster, name: string): Promise<void> {
  const before = await livesOf(cluster);
  await killProcess(scene.kubectl.namespace, name);
  await untilBack(cluster, [name], before, BACK_LIMIT_MS);
  await cluster.untilSettled(BACK_LIMIT_MS);
  const [uid] = before.get(name)?.split('/') ?? [];
  assert.equal((await livesOf(cluster)).get(name), `${uid}/1`, 'it is the same pod, restarted once');
}

async function loseVolume(scene: Scene, cluster: KvCluster, name: string): Promise<void> {
  const { kubectl } = scene;
  const [claim, number] = [await claimOf(scene, name), await numberOf(cluster, name)];
  await kubectl.run('delete', 'pvc', `data-${name}`, '--wait=false');
  await kubectl.run('delete', 'pod', name, '--wait=false');
  await until(`${name} is another member`, BACK_LIMIT_MS, async () => {
    const now = await numberOf(cluster, name);
    return (now !== undefined && number !== undefined && now > number) || undefined;
  });
  await cluster.untilSettled(BACK_LIMIT_MS);
  assert.notEqual(await claimOf(scene, name), claim, 'it has another volume');
  assert.equal((await cluster.status()).members?.length, 3);
}

/** The UID of its claim. */
async function claimOf({ kube, kubectl }: Scene, pod: string): Promise<string | undefined> {
  const ref = { namespace: kubectl.namespace, name: `data-${pod}` };
  return (await kube.get(persistentVolumeClaims, ref))?.metadata.uid;
}

async function numberOf(cluster: KvCluster, member: string): Promise<number | undefined> {
  return (await cluster.status()).members?.find(({ name }) => name === member)?.number;
}
