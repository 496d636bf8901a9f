import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isPodReady, type Kubectl, type Pod, until } from '../kubectl.ts';
import { runScenario } from '../scenario.ts';

/**
 * The image by itself, without an operator: three pods form a cluster by the names of a headless Service, a key outlives a pod that is
 * stopped and one that is killed, and each pod stops by SIGTERM within its grace period.
 */

const MANIFEST = new URL('../manifests/store.yaml', import.meta.url);
const SELECTOR = 'app.kubernetes.io/instance=kvorum';
const PODS = ['kvorum-0', 'kvorum-1', 'kvorum-2'] as const;
const START_LIMIT_MS = 180_000;
/** Below the grace period of the manifest: after it the process would have been killed. */
const STOP_LIMIT_MS = 55_000;
const VALUE = 'a value that outlives pods';

await runScenario('smoke', async ({ kubectl, image, step }) => {
  await kubectl.apply(readFileSync(MANIFEST, 'utf8').replace('localhost/kvorum:dev', image));
  await step('three pods run', async () => await untilRunning(kubectl));
  const id = await step('the first makes the cluster', async () => await bootstrap(kubectl));
  assert.match(id, /^[0-9a-f]{32}$/m);
  await step('all are ready', async () => await untilReady(kubectl));
  await step('a key is written', async () => await kubectl.kvorum('kvorum-0', 'put', 'smoke', VALUE));
  await step('each pod reads it', async () => await everyPodReads(kubectl));

  const stopped = await uidOf(kubectl, 'kvorum-1');
  await step('a pod is stopped', async () => {
    const start = performance.now();
    await kubectl.run('delete', 'pod', 'kvorum-1');
    assert.ok(performance.now() - start < STOP_LIMIT_MS, 'kvorum-1 did not end by SIGTERM: it was killed');
  });
  await step('another reads the key', async () => await podReads(kubectl, 'kvorum-2'));
  await step('it is back', async () => await untilReplaced(kubectl, 'kvorum-1', stopped));
  await step('it reads the key', async () => await podReads(kubectl, 'kvorum-1'));

  const killed = await uidOf(kubectl, 'kvorum-0');
  await step('a pod is killed', async () => {
    await kubectl.run('delete', 'pod', 'kvorum-0', '--grace-period=0', '--force');
  });
  await step('it is back', async () => await untilReplaced(kubectl, 'kvorum-0', killed));
  await step('each pod reads the key', async () => await everyPodReads(kubectl));
  await assertNoRestart(kubectl);
});

async function untilRunning(kubectl: Kubectl): Promise<void> {
  await until('three pods run', START_LIMIT_MS, async () => {
    const pods = await kubectl.pods(SELECTOR);
    return pods.filter(({ status }) => status.phase === 'Running').length === PODS.length || undefined;
  });
}

/** The process may not listen yet. Nothing comes of it twice: a node that is of a cluster makes no other. */
async function bootstrap(kubectl: Kubectl): Promise<string> {
  return await until('bootstrap', START_LIMIT_MS, async () => {
    return await kubectl.kvorum('kvorum-0', 'cluster', 'bootstrap', '--cluster-id', '5'.repeat(32));
  });
}

async function untilReady(kubectl: Kubectl): Promise<void> {
  await until('three pods are ready', START_LIMIT_MS, async () => {
    return (await kubectl.pods(SELECTOR)).filter(isPodReady).length === PODS.length || undefined;
  });
}

async function untilReplaced(kubectl: Kubectl, name: string, uid: string): Promise<void> {
  await until(`another ${name} is ready`, START_LIMIT_MS, async () => {
    const pod = (await kubectl.pods(SELECTOR)).find(({ metadata }) => metadata.name === name);
    return (pod !== undefined && pod.metadata.uid !== uid && isPodReady(pod)) || undefined;
  });
}

async function everyPodReads(kubectl: Kubectl): Promise<void> {
  for (const pod of PODS) await podReads(kubectl, pod);
}

async function podReads(kubectl: Kubectl, pod: string): Promise<void> {
  const value = await kubectl.kvorum(pod, 'get', 'smoke');
  assert.equal(value.trimEnd(), VALUE, `what ${pod} reads`);
}

async function uidOf(kubectl: Kubectl, name: string): Promise<string> {
  const { metadata } = await kubectl.json<Pod>('get', 'pod', name);
  return metadata.uid;
}

/** Probes that kill a healthy process would show here. */
async function assertNoRestart(kubectl: Kubectl): Promise<void> {
  for (const { metadata, status } of await kubectl.pods(SELECTOR))
    for (const { restartCount } of status.containerStatuses ?? [])
      assert.equal(restartCount, 0, `restarts of ${metadata.name}`);
}
