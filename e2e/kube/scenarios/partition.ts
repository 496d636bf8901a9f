import assert from 'node:assert/strict';
import { FAULT_LOAD } from '../fault-load.ts';
import { until } from '../kubectl.ts';
import { KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { inNetworkOf, needOwnNode, processOf } from '../own-node.ts';
import { runScenario, type Scene } from '../scenario.ts';

/**
 * One pod of three is cut off from the others, in its own network namespace: nothing passes between them, while Kubernetes and clients reach
 * all. The one alone refuses to read and to write at a quorum, the two go on; no pod is restarted or replaced for it. Healed, all are equal.
 */

const ALONE = 'demo-2';
const OTHERS = ['demo-0', 'demo-1'] as const;
const LIMIT_MS = 90_000;
/** Longer than it takes until the leader counts the member as dead, and clients are sent elsewhere. */
const CUT_MS = 25_000;

await runScenario('partition', async (scene) => {
  needOwnNode();
  const { step, kubectl } = scene;
  const cluster = await KvCluster.settled(scene, 'three members');
  await kubectl.kvorum('demo-0', 'put', 'before', 'known to all');
  const pids = await processesOf(kubectl.namespace);
  const addresses = await addressesOf(cluster);
  await withLoad(
    scene,
    cluster,
    async (load) => {
      const heal = await step(`${ALONE} is cut off`, async () => await cut(pids, addresses));
      try {
        await load.phase('cut off', async () => await whileCut(scene, cluster));
      } finally {
        await step('the cut is healed', heal);
      }
      await load.phase('healed', async () => {
        await step('all is well again', async () => await cluster.untilSettled(LIMIT_MS));
      });
    },
    FAULT_LOAD,
  );
  assert.equal((await kubectl.kvorum(ALONE, 'get', 'meanwhile')).trimEnd(), 'of two');
  await step('all replicas are equal', async () => await kubectl.kvorum('demo-0', 'verify'));
  assert.deepEqual(await processesOf(kubectl.namespace), pids, 'no process was restarted');
});

async function whileCut(scene: Scene, cluster: KvCluster): Promise<void> {
  const { kubectl, step } = scene;
  await step('the one alone refuses, and is not ready', async () => {
    await refuses(kubectl.kvorum(ALONE, 'put', 'lonely', 'of one', '--timeout', '5000'));
    await refuses(kubectl.kvorum(ALONE, 'get', 'before', '--timeout', '5000'));
    await until(`${ALONE} is not ready`, LIMIT_MS, async () => {
      const pod = (await cluster.pods()).find(({ metadata }) => metadata.name === ALONE);
      return (
        pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'False') ||
        undefined
      );
    });
  });
  await step('the others go on', async () => {
    await kubectl.kvorum(OTHERS[0], 'put', 'meanwhile', 'of two');
    assert.equal((await kubectl.kvorum(OTHERS[1], 'get', 'meanwhile')).trimEnd(), 'of two');
    await cluster.untilCondition('Degraded', 'True', LIMIT_MS);
    assert.equal((await cluster.untilCondition('Ready', 'True', LIMIT_MS)).reason, 'ServingWithoutAll');
  });
  await step('for a while', async () => await new Promise((resolve) => setTimeout(resolve, CUT_MS)));
}

async function refuses(asking: Promise<string>): Promise<void> {
  await assert.rejects(asking, /QUORUM_NOT_MET|NO_LEADER|DEADLINE_EXCEEDED|no answer/i);
}

async function processesOf(namespace: string): Promise<Readonly<Record<string, number>>> {
  const pods = [ALONE, ...OTHERS];
  const pids = await Promise.all(
    pods.map(async (pod) => [pod, await processOf(namespace, pod, 'kvorum')] as const),
  );
  return Object.fromEntries(pids);
}

async function addressesOf(cluster: KvCluster): Promise<readonly string[]> {
  const pods = (await cluster.pods()).filter(({ metadata }) => metadata.name !== ALONE);
  return pods.map(({ status }) => {
    assert.ok(status?.podIP !== undefined);
    return status.podIP;
  });
}

/** Both ways, from within the pod that is alone. Returns what undoes it. */
async function cut(
  pids: Readonly<Record<string, number>>,
  addresses: readonly string[],
): Promise<() => Promise<void>> {
  const pid = pids[ALONE];
  assert.ok(pid !== undefined);
  const rules = addresses.flatMap((address) => [
    ['INPUT', '--source', address, '--jump', 'DROP'],
    ['OUTPUT', '--destination', address, '--jump', 'DROP'],
  ]);
  const all = async (verb: string): Promise<void> => {
    for (const rule of rules) await inNetworkOf(pid, 'iptables', '--wait', verb, ...rule);
  };
  await all('--append');
  return async () => await all('--delete');
}
