import assert from 'node:assert/strict';
import { test } from 'node:test';
import { persistentVolumeClaims, pods, statefulSets } from '../kube/resources.ts';
import { settled, verdict, WELL } from './test-world.ts';

/** Calls that come when what they follow from is not so any more. */

const REF = { namespace: 'shop', name: 'kv' };

test('a pod that came in the place of the one that was seen is left alone', async () => {
  await using world = await settled();
  let fresh: string | undefined;
  world.server.onCall(({ verb, resource, name = '' }) => {
    const pod = world.server.get(pods, { ...REF, name });
    if (fresh !== undefined || verb !== 'delete' || resource?.kind !== 'Pod' || pod === undefined)
      return undefined;
    world.server.remove(pods, pod.metadata);
    fresh = world.server.put(pods, pod).metadata.uid;
    return undefined;
  });
  world.wish({ config: { 'moves.partitionsMax': 8 } });
  await assert.rejects(async () => {
    while (fresh === undefined) {
      await world.reconcile();
      world.step();
    }
  }, /Conflict|Precondition/);
  assert.ok(world.server.list(pods).some(({ metadata }) => metadata.uid === fresh));
});

test('a pod that came back after the store gave its word is left alone until it gives it again', async () => {
  await using world = await settled();
  world.kubelets.setReady(2, false);
  let ready: string | undefined;
  world.server.onCall(({ verb, resource, name = '' }) => {
    if (ready !== undefined || verb !== 'delete' || resource?.kind !== 'Pod') return undefined;
    world.kubelets.setReady(Number(name.slice(3)), true);
    ready = world.server.get(pods, { ...REF, name })?.metadata.uid;
    return undefined;
  });
  world.wish({ restartedAt: '2026-01-01T00:00:00Z' });
  await assert.rejects(async () => {
    while (ready === undefined) {
      await world.reconcile();
      world.kubelets.step();
    }
  }, /the object has been modified/);
  assert.ok(world.server.list(pods).some(({ metadata }) => metadata.uid === ready));
  await world.settle();
  assert.deepEqual(verdict(world), WELL);
});

const ROUNDS_MAX = 100;

test('a pod that joined after it was decided that there are to be fewer is not let go (seed 70467 of the simulation)', async () => {
  await using world = await settled();
  const image = world.kubelets.pod(0)?.spec?.containers[0]?.image ?? '';
  world.kubelets.brokenImages.add(image);
  world.server.change(statefulSets, REF, (set) => ({ ...set, spec: { ...set.spec, replicas: 4 } }) as never);
  while (world.kubelets.step());
  let hasJoined = false;
  world.server.onCall(({ verb, resource }) => {
    if (hasJoined || verb !== 'patch' || resource?.kind !== 'StatefulSet') return undefined;
    world.kubelets.brokenImages.clear();
    while ([world.kubelets.step(), world.store.step()].includes(true));
    hasJoined = world.store.inner?.members.size === 4;
    return undefined;
  });
  await assert.rejects(async () => {
    for (let round = 0; round < ROUNDS_MAX && !hasJoined; round++) await world.reconcile();
  }, /the object has been modified/);
  assert.equal(world.replicas, 4);
  await world.settle();
  assert.deepEqual([world.replicas, ...verdict(world)], [3, ...WELL]);
});

test('a volume whose node came back after it was decided to replace it stays (seed 70675 of the simulation)', async () => {
  await using world = await settled({ replicas: 4, replacePolicy: { mode: 'Automatic', afterSeconds: 30 } });
  const claim = { ...REF, name: 'data-kv-3' };
  const setPhase = (phase: string) =>
    world.server.change(persistentVolumeClaims, claim, (each) => ({ ...each, status: { phase } }) as never);
  setPhase('Lost');
  world.kubelets.unschedulable.add(3);
  world.server.remove(pods, { ...REF, name: 'kv-3' });
  while (world.step());
  const since = { reason: 'Unschedulable', lastTransitionTime: '1970-01-01T00:00:00Z' };
  const conditions = [{ type: 'PodScheduled', status: 'False', ...since }];
  world.server.change(pods, { ...REF, name: 'kv-3' }, (pod) => ({ ...pod, status: { conditions } }) as never);
  const { uid } = world.server.get(persistentVolumeClaims, claim)?.metadata ?? {};
  let isBack = false;
  // The store is asked last before the volume goes.
  world.store.onChange = () => {
    if (isBack) return;
    isBack = true;
    setPhase('Bound');
    world.kubelets.unschedulable.clear();
    while (world.kubelets.step());
  };
  for (let round = 0; round < ROUNDS_MAX && !isBack; round++) await world.reconcile();
  assert.ok(isBack, JSON.stringify(world.status.conditions));
  await world.settle();
  assert.equal(world.server.get(persistentVolumeClaims, claim)?.metadata.uid, uid);
  assert.deepEqual(verdict(world), WELL);
});
