import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAULT_LOAD } from '../fault-load.ts';
import { History } from '../history.ts';
import { KvCluster } from '../kv-cluster.ts';
import { withLoad } from '../load.ts';
import { OPERATOR_NAMESPACE, untilAlone, untilLeads } from '../operator-pods.ts';
import { killProcess, needOwnNode } from '../own-node.ts';
import { runScenario, type Scene } from '../scenario.ts';

/**
 * Whoever leads among operators is killed a moment later, again and again, while a cluster grows, restarts all of its pods, and shrinks: by
 * turns its process (kill -9: the lease has to run out) and its pod. Each next one goes on with what it finds, until all is as wished.
 */

/** How long one may lead: the first so shortly that even a quick change sees more than one of them die. */
const LEAD_MS = [300, 600, 1000, 2500, 4000, 6000] as const;
const KILLS_MIN = 2;
const LIMIT_MS = 240_000;

await runScenario('operator-killed', async (scene) => {
  needOwnNode();
  const { step } = scene;
  await step('no other scenario runs', async () => await untilAlone(scene));
  const storage = { size: '1Gi', retention: { whenScaled: 'Delete' } } as const;
  const cluster = await KvCluster.settled(scene, 'three members', { storage });
  await using history = await History.start(scene, cluster);
  await withLoad(
    scene,
    cluster,
    async (load) => {
      const underFire = async (name: string, what: string, wish: object): Promise<void> =>
        await load.phase(name, async () => {
          await step(`${what}, while operators die`, async () => {
            const kills = await becomesUnderFire(scene, cluster, wish);
            assert.ok(kills >= KILLS_MIN, `only ${kills} operators were killed`);
          });
        });
      await underFire('3 -> 4', 'a fourth member joins', { replicas: 4 });
      await underFire('restart', 'all pods restart', { restartedAt: new Date().toISOString() });
      await underFire('4 -> 3', 'the fourth member leaves', { replicas: 3 });
    },
    FAULT_LOAD,
  );
  const { membersReady } = await cluster.status();
  assert.equal(membersReady, '3/3');
  assert.equal((await cluster.pods()).length, 3);
  assert.deepEqual(
    history.ended.toSorted(),
    ['demo-0', 'demo-1', 'demo-2', 'demo-3', 'demo-3'],
    'each pod was told to end once for the restart, and demo-3 when it left',
  );
});

/** How many operators were killed until it was as wished. */
async function becomesUnderFire(scene: Scene, cluster: KvCluster, wish: object): Promise<number> {
  const ending = new AbortController();
  await cluster.patch(wish);
  const killing = killLeaders(scene, ending.signal);
  try {
    await cluster.untilSettled(LIMIT_MS);
  } finally {
    ending.abort();
  }
  return await killing;
}

async function killLeaders(scene: Scene, signal: AbortSignal): Promise<number> {
  let kills = 0;
  let before: string | undefined;
  while (!signal.aborted) {
    const { pod, holder } = await untilLeads(scene, before);
    before = holder;
    await sleep(LEAD_MS[kills % LEAD_MS.length]);
    if (signal.aborted) break;
    await kill(scene, pod, kills % 2 === 0);
    kills++;
  }
  return kills;
}

async function kill({ kubectl }: Scene, pod: string, isPodToo: boolean): Promise<void> {
  if (isPodToo) await kubectl.run('delete', 'pod', pod, '--namespace', OPERATOR_NAMESPACE, '--wait=false');
  await killProcess(OPERATOR_NAMESPACE, pod, 'operator').catch(() => undefined); // it may be gone with its pod
}
