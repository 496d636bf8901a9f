import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileHash } from '../../store/io/file-hash.ts';
import { ANNOTATIONS } from '../children/names.ts';
import { upTo } from '../core/plan/test-observation.ts';
import { configMaps, persistentVolumeClaims, pods, services, statefulSets } from '../kube/resources.ts';
import { kvClusters, podMonitors } from './kinds.ts';
import { ReconcileWorld, SPEC, settled, verdict, WELL } from './test-world.ts';

const REF = { namespace: 'shop', name: 'kv' };
/** All calls take minutes: without it every so-many-th is tried. */
const DEATH_STRIDE = Number(process.env.TEST_DEATH_STRIDE ?? 7);
const named = (count: number) => upTo(count).map((ordinal) => `kv-${ordinal}`);

test('from a KVCluster to a store that serves: children, id before bootstrap, status', async () => {
  await using world = await settled();
  assert.equal(world.store.made, 1);
  assert.equal(world.status.clusterId, world.store.inner?.clusterId);
  assert.equal(world.status.membersReady, '3/3');
  assert.deepEqual(world.podNames(), named(3));
  assert.deepEqual(
    world.server.list(services).map(({ metadata }) => metadata.name),
    ['kv', 'kv-peers'],
  );
  assert.equal(world.server.list(configMaps).length, 1);
  const order = world.server.writes.map(
    ({ resource, subresource }) => `${resource?.kind}/${subresource ?? ''}`,
  );
  assert.equal(order[0], 'KVCluster/status', 'the id comes before everything');
});

test('at rest: no writes, and no calls but to the store', async () => {
  await using world = await settled();
  const before = world.server.calls.length;
  for (const _ of upTo(5)) {
    const { requeueAfterMs } = await world.reconcile();
    assert.equal(requeueAfterMs, 30_000);
    world.step();
  }
  assert.equal(world.server.calls.length, before);
});

test('at its creation a cluster is not written about at each act: what only differs in words waits for a second', async () => {
  await using world = await ReconcileWorld.start(SPEC);
  let acts = 0;
  while ((await world.reconcile()).requeueAfterMs === 0) acts++;
  const writes = world.server.writes.filter(({ subresource }) => subresource === 'status').length;
  assert.ok(acts >= 6, `${acts} acts`);
  assert.ok(writes <= 4, `${writes} writes of the status for ${acts} acts`);
  await world.settle();
  assert.deepEqual(verdict(world), WELL);
});

test('a kind that is installed later is found, and one that is taken away is missed', async () => {
  await using world = await settled({ monitoring: { podMonitor: { enabled: true } } }, [
    'True Serving',
    'True ApiMissing',
    'False ApiMissing',
  ]);
  const discoveries = () => world.server.calls.filter(({ verb }) => verb === 'discover').length;
  const before = discoveries();
  for (const _ of upTo(24)) {
    await world.reconcile();
    world.step();
  }
  assert.equal(discoveries() - before, 4, 'two kinds in each of two minutes');
  world.server.define(podMonitors);
  for (const _ of upTo(14)) world.step();
  await world.settle();
  assert.deepEqual(verdict(world), WELL);
  assert.equal(world.server.list(podMonitors).length, 1);
  world.server.undefine(podMonitors);
  await world.settle();
  assert.deepEqual(verdict(world), ['True Serving', 'True ApiMissing', 'False ApiMissing']);
});

describe('scale', () => {
  test('up and down; volumes that are kept are not used again (O3)', async () => {
    await using world = await settled();
    world.wish({ replicas: 5 });
    await world.settle();
    assert.deepEqual(verdict(world), WELL);
    assert.deepEqual(world.podNames(), named(5));
    const before = world.server.get(persistentVolumeClaims, { namespace: 'shop', name: 'data-kv-4' });
    world.wish({ replicas: 3 });
    await world.settle();
    assert.deepEqual(verdict(world), WELL);
    assert.deepEqual([world.replicas, world.podNames()], [3, named(3)]);
    assert.equal(world.claimNames().length, 5, 'the policy is to keep them');
    assert.deepEqual(
      [...(world.store.inner?.members.values() ?? [])].map(({ name }) => name),
      named(3),
    );
    world.wish({ replicas: 5 });
    await world.settle();
    assert.deepEqual(verdict(world), WELL);
    const after = world.server.get(persistentVolumeClaims, { namespace: 'shop', name: 'data-kv-4' });
    assert.notEqual(after?.metadata.uid, before?.metadata.uid);
  });

  test('down, and volumes are deleted with an event before', async () => {
    await using world = await settled({ replicas: 4, storage: { retention: { whenScaled: 'Delete' } } });
    world.wish({ replicas: 3 });
    await world.settle();
    assert.equal(world.claimNames().length, 3);
    assert.ok(world.told.some(({ reason, note }) => reason === 'DeleteClaim' && note.includes('data-kv-3')));
  });

  test('turned round half way: what stays keeps its data', async () => {
    await using world = await settled({ replicas: 5 });
    world.wish({ replicas: 3 });
    await world.settle(() => world.store.inner?.seen().operations.length === 2);
    assert.match(world.condition('ScalingDown'), /True/);
    assert.equal(world.status.operation?.kind ?? 'drain', 'drain');
    world.wish({ replicas: 5 });
    await world.settle();
    assert.deepEqual(verdict(world), WELL);
    assert.equal(world.store.inner?.members.size, 5);
    assert.equal(world.replicas, 5);
  });

  test('refused where the factor forbids it, and told once', async () => {
    await using world = await settled();
    world.wish({ replicas: 2 });
    await world.settle();
    assert.equal(world.condition('ScalingDown'), 'False TooFewMembers');
    assert.deepEqual(world.podNames(), named(3));
    assert.equal(world.told.filter(({ reason }) => reason === 'TooFewMembers').length, 1);
  });
});

describe('rollout', () => {
  test('one pod at a time, each with the word of the store; never two are away', async () => {
    await using world = await settled();
    let awayMax = 0;
    world.server.onChange(() => {
      const ready = named(3).filter((_, ordinal) => world.kubelets.isRunning(ordinal)).length;
      awayMax = Math.max(awayMax, 3 - ready);
    });
    const before = new Set(world.server.list(pods).map(({ metadata }) => metadata.uid));
    world.wish({ config: { 'moves.partitionsMax': 8 } });
    await world.settle();
    assert.deepEqual(verdict(world), WELL);
    assert.ok(world.server.list(pods).every(({ metadata }) => !before.has(metadata.uid)));
    assert.equal(awayMax, 1);
    assert.equal(world.condition('Upgrading'), 'False AsWished');
  });

  const uids = (world: ReconcileWorld) => world.server.list(pods).map(({ metadata }) => metadata.uid);
  const fileIn = (world: ReconcileWorld): string => {
    const [map] = world.server.list(configMaps) as readonly { readonly data?: Record<string, string> }[];
    return map?.data?.['kvorum.yaml'] ?? assert.fail('there is no settings file');
  };

  test('a live setting restarts nobody: it is in the ConfigMap, and the status waits until each node goes by it', async () => {
    await using world = await settled();
    const before = uids(world);
    const oldHash = fileHash(fileIn(world));
    let read = 0;
    world.store.settingsOf = (ordinal) => ({
      type: 'live',
      fileHash: ordinal < read ? fileHash(fileIn(world)) : oldHash,
    });
    world.wish({ config: { 'moves.bytesPerSecond': 4096 }, replacePolicy: { mode: 'Manual' } });
    await world.settle();
    assert.match(fileIn(world), /bytesPerSecond: 4096/);
    assert.match(fileIn(world), /replaceMemberAfterMs: 2592000000/);
    assert.equal(world.condition('Upgrading'), 'True SettingsChange');
    assert.equal(world.condition('Progressing'), 'True WaitingForSettings');
    read = 3;
    await world.settle();
    assert.deepEqual([world.condition('Upgrading'), verdict(world)], ['False AsWished', WELL]);
    assert.deepEqual(uids(world), before);
  });

  test('a live setting beside another restarts each pod once, as the other alone does', async () => {
    await using world = await settled();
    const before = new Set(uids(world));
    world.store.settingsOf = () => ({ type: 'live', fileHash: fileHash(fileIn(world)) });
    world.wish({ config: { 'moves.bytesPerSecond': 4096, 'moves.partitionsMax': 8 } });
    await world.settle();
    assert.ok(uids(world).every((uid) => !before.has(uid)));
    assert.equal(world.condition('Upgrading'), 'False AsWished');
  });

  test('a live setting restarts the pods of a store that reads its settings only as it starts', async () => {
    await using world = await settled();
    const before = new Set(uids(world));
    const isNew = (ordinal: number) => !before.has(world.kubelets.pod(ordinal)?.metadata.uid);
    world.store.settingsOf = () => ({ type: 'fixed' });
    world.wish({ config: { 'moves.bytesPerSecond': 4096 } });
    await world.settle();
    assert.ok([0, 1, 2].every(isNew));
    const after = uids(world);
    await world.settle();
    assert.deepEqual(uids(world), after);
  });

  test('settings that a node refuses are told, and nobody restarts into them', async () => {
    await using world = await settled();
    const before = uids(world);
    const oldHash = fileHash(fileIn(world));
    world.store.settingsOf = () => {
      const wanted = fileHash(fileIn(world));
      if (wanted === oldHash) return { type: 'live', fileHash: oldHash };
      return { type: 'live', fileHash: oldHash, refused: { fileHash: wanted, problem: 'it does not fit' } };
    };
    world.wish({ config: { 'moves.bytesPerSecond': 4096 } });
    await world.settle();
    assert.equal(world.condition('Degraded'), 'True SettingsRefused');
    assert.equal(world.condition('Upgrading'), 'False SettingsRefused');
    assert.deepEqual(uids(world), before);
    world.wish({ config: {} });
    await world.settle();
    assert.deepEqual([world.condition('Upgrading'), verdict(world)], ['False AsWished', WELL]);
  });

  test('pods of an operator before live settings stay as they are until something changes, and restart for that', async () => {
    await using world = await settled();
    for (const { metadata } of world.server.list(pods)) {
      const {
        [ANNOTATIONS.restartHash]: _,
        [ANNOTATIONS.config]: __,
        ...annotations
      } = metadata.annotations ?? {};
      world.server.change(pods, metadata, (pod) => ({ ...pod, metadata: { ...pod.metadata, annotations } }));
    }
    const before = uids(world);
    await world.settle();
    assert.deepEqual(uids(world), before);
    world.wish({ config: { 'moves.bytesPerSecond': 4096 } });
    await world.settle();
    assert.ok(uids(world).every((uid) => !before.includes(uid)));
    assert.equal(world.condition('Upgrading'), 'False AsWished');
  });

  test('a broken image stops at the first pod, and the next spec mends it', async () => {
    await using world = await settled();
    world.kubelets.brokenImages.add('ghcr.io/kvorum/kvorum:broken');
    world.wish({ image: { tag: 'broken' } });
    await world.settle();
    assert.equal(world.condition('Upgrading'), 'False RolloutStuck');
    assert.equal(world.condition('Ready'), 'True ServingWithoutAll');
    assert.ok(world.kubelets.isRunning(0) && world.kubelets.isRunning(1));
    world.wish({ image: { tag: 'mended' } });
    await world.settle();
    assert.deepEqual(verdict(world), WELL);
  });

  test('volumes grow, and the StatefulSet is made anew without a pod less', async () => {
    await using world = await settled();
    const before = world.server.list(pods).map(({ metadata }) => metadata.uid);
    world.wish({ storage: { size: '20Gi' } });
    await world.settle();
    assert.deepEqual(verdict(world), WELL);
    assert.deepEqual(
      world.server.list(pods).map(({ metadata }) => metadata.uid),
      before,
    );
    const sizes = world.server
      .list(persistentVolumeClaims)
      .map(({ spec }) => spec?.resources?.requests?.storage);
    assert.deepEqual(sizes, ['20Gi', '20Gi', '20Gi']);
  });
});

test('paused: nothing is changed but the status', async () => {
  await using world = await settled();
  world.wish({ paused: true, replicas: 5 });
  await world.settle();
  assert.deepEqual([world.replicas, world.condition('Paused')], [3, 'True Paused']);
  world.wish({ paused: false });
  await world.settle();
  assert.equal(world.replicas, 5);
});

describe('deletion', () => {
  test('volumes go with the cluster where that was asked for, after its pods', async () => {
    await using world = await settled({ storage: { retention: { whenDeleted: 'Delete' } } });
    world.server.remove(kvClusters, REF);
    await world.settle();
    assert.equal(world.server.get(kvClusters, REF), undefined);
    assert.deepEqual([world.claimNames(), world.podNames()], [[], []]);
  });

  test('made again over volumes that were kept: the same store, with what it holds', async () => {
    await using world = await settled();
    const { clusterId } = world.status;
    const { spec } = world.cluster;
    world.server.remove(kvClusters, REF);
    world.server.put(kvClusters, { metadata: REF, spec });
    await world.settle();
    assert.match(world.condition('Progressing'), /True WaitingForCollection/);
    world.collectGarbage();
    await world.settle();
    assert.deepEqual(verdict(world), WELL);
    assert.equal(world.status.clusterId, clusterId);
    assert.equal(world.store.made, 1);
  });
});

describe('stale caches', () => {
  test('O1: a cache that does not know of a pod deletes no volume', async () => {
    await using world = await settled({ storage: { retention: { whenScaled: 'Delete' } } });
    for (const resource of [pods, statefulSets, kvClusters]) world.freeze(resource, true);
    world.wish({ replicas: 5 });
    for (const resource of [statefulSets, kvClusters]) world.freeze(resource, false);
    await world.settle();
    assert.equal(world.claimNames().length, 5);
    world.freeze(pods, false);
    await world.settle();
    assert.deepEqual(verdict(world), WELL);
  });

  test('O1: a cache that does not know how many pods there are lets none of them go', async () => {
    await using world = await settled();
    world.freeze(statefulSets, true);
    world.wish({ replicas: 4 });
    await world.settle();
    assert.equal(world.store.inner?.members.size, 4);
    let least = 4;
    world.server.onChange(({ resource, object }) => {
      const { spec } = object as { readonly spec?: { readonly replicas?: number } };
      if (resource.kind === 'StatefulSet') least = Math.min(least, spec?.replicas ?? 0);
    });
    world.wish({ config: { 'moves.partitionsMax': 8 } });
    await world.settle();
    assert.equal(least, 4);
  });

  test('the Service of another KVCluster, under a name that this one needs, is left alone and told of', async () => {
    await using world = await ReconcileWorld.start(SPEC);
    const owner = {
      apiVersion: 'kvorum.dev/v1',
      kind: 'KVCluster',
      name: 'kv-peers',
      uid: 'other',
      controller: true,
    };
    const metadata = { ...REF, name: 'kv-peers', ownerReferences: [owner], labels: { app: 'other' } };
    const taken = world.server.put(services, { metadata, spec: { ports: [{ port: 80 }] } } as never);
    await world.settle();
    assert.deepEqual(world.server.get(services, taken.metadata), taken);
    assert.equal(world.server.get(statefulSets, REF), undefined);
    const told = world.status.conditions?.filter(({ reason }) => reason === 'NameTaken');
    assert.match(told?.[0]?.message ?? '', /Service kv-peers belongs to somebody else/);
    world.server.remove(services, taken.metadata);
    await world.settle();
    assert.deepEqual(verdict(world), WELL);
  });

  test('O2: pods with other labels are pods all the same', async () => {
    await using world = await settled({ storage: { retention: { whenScaled: 'Delete' } } });
    for (const pod of world.server.list(pods))
      world.server.put(pods, { ...pod, metadata: { ...pod.metadata, labels: {} } });
    world.wish({ podTemplate: { labels: { team: 'shop' } } });
    await world.settle();
    assert.deepEqual(verdict(world), WELL);
    assert.equal(world.claimNames().length, 3);
  });
});

/** Runs the story until the operator dies at its n-th call, goes on with another one, and says whether it died. */
async function withDeathAt(
  number: number,
  isApplied: boolean,
  story: (world: ReconcileWorld) => Promise<void>,
  { isWrite }: { readonly isWrite: boolean },
): Promise<boolean> {
  await using world = await ReconcileWorld.start({
    ...SPEC,
    storage: { retention: { whenScaled: 'Delete' } },
  });
  let count = 0;
  const isNow = () => ++count === number;
  world.server.onCall((call) => {
    const counts = !isWrite || (call.verb !== 'get' && call.verb !== 'list');
    return counts && isNow() ? { type: 'drop', isApplied } : undefined;
  });
  world.store.onChange = (isDone) => {
    if (isDone === isApplied && isNow()) throw new Error('the operator died');
  };
  await story(world);
  assert.deepEqual(
    verdict(world),
    WELL,
    `death at call ${number}, ${isApplied ? 'after' : 'before'} its effect`,
  );
  assert.equal(world.store.made, 1);
  return count >= number;
}

for (const isApplied of [false, true])
  test(`O4: bootstrap exactly once, though the operator dies ${isApplied ? 'after' : 'before'} each of its calls has its effect`, async () => {
    const story = (world: ReconcileWorld) => world.settle();
    let number = isApplied ? 1 : 2;
    while (await withDeathAt(number, isApplied, story, { isWrite: false })) number += DEATH_STRIDE;
    assert.ok(number > 20, `${number} calls`);
  });

for (const isApplied of [false, true])
  test(`O4: scale up, rollout and scale down, though the operator dies ${isApplied ? 'after' : 'before'} each of its writes has its effect`, async () => {
    const story = async (world: ReconcileWorld): Promise<void> => {
      await world.settle();
      world.wish({ replicas: 4, config: { 'moves.partitionsMax': 8 } });
      await world.settle();
      world.wish({ replicas: 3 });
      await world.settle();
      assert.deepEqual([world.podNames(), world.claimNames().length], [named(3), 3]);
    };
    let number = isApplied ? 1 : 2;
    while (await withDeathAt(number, isApplied, story, { isWrite: true })) number += DEATH_STRIDE;
    assert.ok(number > 20, `${number} calls`);
  });
