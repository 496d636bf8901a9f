import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '../../../client/src/index.ts';
import { persistentVolumeClaims } from '../../../operator/kube/resources.ts';
import { History } from '../history.ts';
import { until } from '../kubectl.ts';
import { KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { runScenario, type Scene } from '../scenario.ts';

/** A change of mind half way, under load: a member that gives its data away stays after all, and one that has just come leaves again. */

const MEMBERS = 4;
const REST_MS = 5000;
const LIMIT_MS = 60_000;
/** A store that does it at once could not be caught half way. */
const SLOWLY = { 'moves.partitionsMax': 1 } as const;

await runScenario('turn-round', async (scene) => {
  const storage = { size: '1Gi', retention: { whenScaled: 'Delete' } } as const;
  const cluster = await KvCluster.settled(scene, 'four members', {
    replicas: MEMBERS,
    storage,
    config: SLOWLY,
  });
  const before = await podsOf(cluster);
  await using history = await History.start(scene, cluster);
  await withLoad(scene, cluster, async (load) => {
    await load.phase('at rest', async () => await sleep(REST_MS));
    const drain = await load.phase('4 -> 3 -> 4', async () => await turnRoundDown(scene, cluster));
    assert.equal((await operationOf(cluster, drain.id)).state, 'cancelled');
    assert.deepEqual(await podsOf(cluster), before, 'the pods are the same ones');
    assert.deepEqual(history.ended, [], 'no pod was told to end');
    assert.deepEqual(
      await claimsOf(scene),
      [0, 1, 2, 3].map((i) => `data-demo-${i}`),
    );
    await load.phase('4 -> 5 -> 4', async () => await turnRoundUp(scene, cluster));
    await load.phase('at rest again', async () => await sleep(REST_MS));
  });
  assert.deepEqual(await podsOf(cluster), before, 'the first four pods are the same ones');
  assert.deepEqual(new Set(history.ended), new Set(['demo-4']), 'only the fifth was told to end');
  assert.deepEqual(history.statusesOf('Ready'), ['True'], 'it was ready all the time');
});

async function turnRoundDown({ step }: Scene, cluster: KvCluster): Promise<Operation> {
  const drain = await step('demo-3 has given away a part of its data', async () => {
    await cluster.scale(MEMBERS - 1);
    return await until('a drain is half way', LIMIT_MS, async () => await halfDone(cluster));
  });
  await step('four are wanted again: it stays', async () => {
    await cluster.scale(MEMBERS);
    await cluster.untilSettled();
  });
  return drain;
}

async function turnRoundUp({ step }: Scene, cluster: KvCluster): Promise<void> {
  await step('demo-4 is a member', async () => {
    await cluster.scale(MEMBERS + 1);
    await until('a fifth member', LIMIT_MS, async () => {
      await using client = await cluster.client();
      const { members } = await client.members();
      return members.length > MEMBERS || undefined;
    });
  });
  await step('four are wanted again: it leaves', async () => {
    await cluster.scale(MEMBERS);
    await cluster.untilSettled();
  });
}

async function halfDone(cluster: KvCluster): Promise<Operation | undefined> {
  await using client = await cluster.client();
  const { operations } = await client.operations({ state: 'running' });
  return operations.find(({ type, partitions, partitionsLeft }) => {
    return type === 'drain' && partitionsLeft > 0 && partitionsLeft < partitions;
  });
}

async function operationOf(cluster: KvCluster, id: string): Promise<Operation> {
  await using client = await cluster.client();
  return await client.operation(id);
}

async function podsOf(cluster: KvCluster): Promise<readonly string[]> {
  return (await cluster.pods()).map(({ metadata }) => `${metadata.name} ${metadata.uid}`);
}

async function claimsOf({ kube, kubectl }: Scene): Promise<readonly string[]> {
  const { items } = await kube.list(persistentVolumeClaims, { namespace: kubectl.namespace });
  return items.map(({ metadata }) => metadata.name).toSorted();
}
