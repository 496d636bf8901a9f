import assert from 'node:assert/strict';
import { API_VERSION, KIND, type KVClusterSpecInput } from '../../../operator/api/kvcluster.ts';
import type { ConditionType } from '../../../operator/api/kvcluster-status.ts';
import { SPEC_EXAMPLES, type SpecExample } from '../../../operator/api/spec-examples.ts';
import { assertKeys, putKeys } from '../keys.ts';
import type { Kubectl } from '../kubectl.ts';
import { until } from '../kubectl.ts';
import { conditionOf, KvCluster } from '../kv-cluster.ts';
import { runScenario, type Scene } from '../scenario.ts';

/**
 * What is wrong with a specification is said where it is written: by the API server where the CRD can know it, else by the operator
 * in a condition that names the reason and the way out. A spec that breaks the pods stops at the first one, and the next spec mends it.
 */

const CHECKS_AT_ONCE = 4;
const REASON_LIMIT_MS = 90_000;
/** Nothing runs for what is stored while it is tried what may become of it. */
const PAUSED = { paused: true } as const;

await runScenario('bad-specs', async (scene) => {
  const { kubectl, step } = scene;
  await step(`${SPEC_EXAMPLES.length} specs meet the API server`, async () => await everyExample(kubectl));
  await step('a name must fit its pods and Services', async () => await badName(kubectl));
  await step('what belongs to somebody else is left alone', async () => await nameTaken(scene));
  await step('a volume of somebody else is left alone', async () => await volumeTaken(scene));
  await step('volumes of two clusters are no cluster', async () => await mixedVolumes(scene));

  const cluster = await KvCluster.settled(scene, 'a cluster is made');
  const keys = await putKeys(cluster);
  await step('pods that no node can hold stop at one', async () => await tooLarge(cluster));
  await assertKeys(cluster, keys);
  await step('the spec put right replaces that pod alone', async () => await repair(cluster));
  await assertKeys(cluster, keys);
  await step('a class that lets nothing grow is told of', async () => await noGrowth(cluster));
});

function manifest(name: string, spec: KVClusterSpecInput): string {
  return JSON.stringify({ apiVersion: API_VERSION, kind: KIND, metadata: { name }, spec });
}

async function everyExample(kubectl: Kubectl): Promise<void> {
  const olds = [
    ...new Set(SPEC_EXAMPLES.flatMap(({ old }) => (old === undefined ? [] : [JSON.stringify(old)]))),
  ];
  for (const [index, old] of olds.entries())
    await kubectl.apply(manifest(`old-${index}`, paused(JSON.parse(old) as KVClusterSpecInput)));
  const queue = [...SPEC_EXAMPLES];
  const problems: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const name = next.old === undefined ? 'new' : `old-${olds.indexOf(JSON.stringify(next.old))}`;
      const problem = problemOf(next, await said(kubectl, name, next));
      if (problem !== undefined) problems.push(problem);
    }
  };
  await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, work));
  assert.deepEqual(problems, []);
  for (const index of olds.keys()) await kubectl.run('delete', 'kvcluster', `old-${index}`);
}

function paused(spec: KVClusterSpecInput): KVClusterSpecInput {
  return { ...spec, ...PAUSED };
}

/** What the API server says to it, without keeping it; nothing where it takes it. */
async function said(kubectl: Kubectl, name: string, { spec, old }: SpecExample): Promise<string> {
  const verb = old === undefined ? 'create' : 'replace';
  try {
    await kubectl.send(manifest(name, paused(spec)), verb, '--dry-run=server', '--filename', '-');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

function problemOf({ name, refusal }: SpecExample, answer: string): string | undefined {
  if (refusal === undefined) return answer === '' ? undefined : `${name} is refused: ${answer}`;
  return answer.includes(refusal)
    ? undefined
    : `${name} should be refused by '${refusal}', and is: ${answer}`;
}

async function badName(kubectl: Kubectl): Promise<void> {
  for (const name of ['9lives', 'a'.repeat(46)])
    await assert.rejects(
      kubectl.send(manifest(name, PAUSED), 'create', '--dry-run=server', '--filename', '-'),
      /the name must be at most 45 of a-z, 0-9 and -/,
    );
}

/** The StatefulSet of a name belongs to another object. */
async function nameTaken(scene: Scene): Promise<void> {
  const { kubectl } = scene;
  await kubectl.run('create', 'configmap', 'somebody');
  const { metadata } = await kubectl.json<{ metadata: { uid: string } }>('get', 'configmap', 'somebody');
  await kubectl.apply(JSON.stringify(statefulSetOf('taken', metadata.uid)));
  await refused(scene, 'taken', 'NameTaken', /StatefulSet taken belongs to somebody else/);
  const kept = await kubectl.json<{ spec: { replicas: number } }>('get', 'statefulset', 'taken');
  assert.equal(kept.spec.replicas, 0, 'replicas of the StatefulSet of somebody else');
}

function statefulSetOf(name: string, ownerUid: string): object {
  const labels = { app: 'somebody' };
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'somebody', uid: ownerUid, controller: true };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, ownerReferences: [owner] },
    spec: {
      replicas: 0,
      serviceName: name,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'one', image: 'localhost/none:1' }] } },
    },
  };
}

async function volumeTaken(scene: Scene): Promise<void> {
  await scene.kubectl.apply(JSON.stringify(claimNamed('data-foreign-0', {})));
  await refused(scene, 'foreign', 'VolumeTaken', /data-foreign-0 was not made for a KVCluster/);
}

async function mixedVolumes(scene: Scene): Promise<void> {
  for (const [ordinal, digit] of ['a', 'b'].entries()) {
    const annotations = { 'kvorum.dev/cluster-uid': 'gone', 'kvorum.dev/cluster-id': digit.repeat(32) };
    await scene.kubectl.apply(JSON.stringify(claimNamed(`data-mixed-${ordinal}`, annotations)));
  }
  await refused(scene, 'mixed', 'VolumesOfSeveralClusters', /data of another cluster than the rest/);
}

function claimNamed(name: string, annotations: Readonly<Record<string, string>>): object {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, annotations }, spec };
}

/** Told of as a condition and as an event, and no pod is made; it is deleted without ado. */
async function refused(scene: Scene, name: string, reason: string, message: RegExp): Promise<void> {
  const cluster = await KvCluster.create(scene, {}, name);
  assert.match(await untilReason(cluster, 'Degraded', reason), message);
  assert.equal((await cluster.pods()).length, 0, `pods of ${name}`);
  await until('an event tells of it', REASON_LIMIT_MS, async () => {
    return (
      (await cluster.events()).some((event) => event.type === 'Warning' && event.reason === reason) ||
      undefined
    );
  });
  await scene.kubectl.run('delete', 'kvcluster', name, '--timeout=30s');
}

/** The message of the condition once it has that reason. */
async function untilReason(cluster: KvCluster, type: ConditionType, reason: string): Promise<string> {
  return await until(`${type} of ${cluster.name} for ${reason}`, REASON_LIMIT_MS, async () => {
    const found = conditionOf(await cluster.status(), type);
    if (found?.reason === reason) return found.message;
    throw new Error(`it is ${JSON.stringify(found)}`);
  });
}

async function tooLarge(cluster: KvCluster): Promise<void> {
  const before = await uidsOf(cluster);
  await cluster.patch({ resources: { requests: { cpu: '1000' } } });
  const message = await untilReason(cluster, 'Upgrading', 'RolloutStuck');
  assert.match(message, /demo-2 does not come back with the new spec .*Insufficient cpu/);
  const status = await cluster.status();
  assert.equal(conditionOf(status, 'Degraded')?.reason, 'RolloutStuck');
  assert.equal(conditionOf(status, 'Ready')?.status, 'True', 'two of three members serve every key');
  assert.deepEqual(
    (await uidsOf(cluster)).slice(0, 2),
    before.slice(0, 2),
    'the others are left as they are',
  );
}

async function repair(cluster: KvCluster): Promise<void> {
  const [first, second, stuck] = await uidsOf(cluster);
  await cluster.patch({ resources: { requests: { cpu: '50m' } } });
  await cluster.untilSettled();
  const [firstNow, secondNow, mended] = await uidsOf(cluster);
  assert.deepEqual([firstNow, secondNow], [first, second], 'pods that were as they should be all the time');
  assert.notEqual(mended, stuck);
}

/** The volumes of this cluster are directories. */
async function noGrowth(cluster: KvCluster): Promise<void> {
  await cluster.patch({ storage: { size: '2Gi' } });
  const message = await untilReason(cluster, 'Degraded', 'Forbidden');
  assert.match(message, /volume data-demo-0 grows: refused, .* must support resize/);
  assert.equal(conditionOf(await cluster.status(), 'Ready')?.status, 'True');
}

/** By ordinals. */
async function uidsOf(cluster: KvCluster): Promise<readonly (string | undefined)[]> {
  return (await cluster.pods()).map(({ metadata }) => metadata.uid);
}
