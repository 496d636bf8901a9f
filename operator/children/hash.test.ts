import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KVClusterSpecInput } from '../api/kvcluster.ts';
import { wantedStatefulSet } from './children.ts';
import { configMap } from './config-map.ts';
import { hashOf, isRestartNeeded, podAnnotations, podHash } from './hash.ts';
import { ANNOTATIONS } from './names.ts';
import { TEST_FACTS, testCluster } from './test-cluster.ts';

const hash = (spec: KVClusterSpecInput = {}): string => podHash(testCluster(spec));

test('podHash: pinned, for another value restarts every pod of every user at an upgrade of the operator', () => {
  const tag = { tag: '1.0.0' };
  assert.equal(hash({ image: tag }), '55e21e9b393fc1a6');
  assert.equal(hash({ image: tag, config: { 'moves.partitionsMax': 8 }, zones: ['a'] }), 'f84af0f3a051d675');
});

test('podAnnotations: those of the pods that there are, pinned', () => {
  const cluster = testCluster({
    image: { tag: '1.0.0' },
    config: { 'moves.partitionsMax': 8, 'log.level': 'warn' },
  });
  const restartHash = 'c6be49fc0e748bed';
  const config = '{"log.level":"warn","moves.partitionsMax":8}';
  const { [ANNOTATIONS.specHash]: _, ...others } = podAnnotations(cluster);
  assert.deepEqual(others, { [ANNOTATIONS.restartHash]: restartHash, [ANNOTATIONS.config]: config });
});

test('isRestartNeeded: not for live settings, and what becomes one, whether they come, change or go', () => {
  const spec: KVClusterSpecInput = { config: { 'moves.partitionsMax': 8, 'log.level': 'warn' } };
  const made = podAnnotations(testCluster(spec));
  const needed = (change: KVClusterSpecInput, annotations = made) =>
    isRestartNeeded(testCluster({ ...spec, ...change }), annotations);
  const live: readonly KVClusterSpecInput[] = [
    { config: { 'moves.partitionsMax': 8, 'log.level': 'debug' } },
    { config: { 'moves.partitionsMax': 8 } },
    { config: { 'moves.partitionsMax': 8, 'log.level': 'warn', 'moves.bytesPerSecond': 4096 } },
    { replacePolicy: { mode: 'Manual' } },
  ];
  for (const change of live) assert.equal(needed(change), false, JSON.stringify(change));
  const others: readonly KVClusterSpecInput[] = [
    { config: { 'moves.partitionsMax': 9, 'log.level': 'warn' } },
    { config: { 'log.level': 'debug' } },
    { config: { 'moves.partitionsMax': 8, 'log.level': 'debug', 'limits.keyBytesMax': 10 } },
    { image: { tag: 'other' } },
    { restartedAt: '2026-03-01T09:30:00Z' },
  ];
  for (const change of others) assert.equal(needed(change), true, JSON.stringify(change));
  const { [ANNOTATIONS.config]: _, ...former } = made;
  for (const config of [undefined, '', 'null', '[', '7'])
    assert.equal(
      needed({}, config === undefined ? former : { ...former, [ANNOTATIONS.config]: config }),
      true,
    );
});

test('podHash: what a pod is made of', () => {
  const restarting: readonly KVClusterSpecInput[] = [
    { image: { tag: 'other' } },
    { resources: { limits: { memory: '1Gi' } } },
    { config: { 'log.level': 'debug' } },
    { restartedAt: '2026-03-01T09:30:00Z' },
    { podTemplate: { labels: { team: 'a' } } },
    { tolerations: [{ operator: 'Exists' }] },
    { terminationGracePeriodSeconds: 300 },
    { replacePolicy: { mode: 'Manual' } },
    { auth: { enabled: true } },
    { resp: { enabled: false } },
  ];
  const hashes = new Set([hash(), ...restarting.map(hash)]);
  assert.equal(hashes.size, restarting.length + 1);
});

test('podHash: what does not', () => {
  const harmless: readonly KVClusterSpecInput[] = [
    { replicas: 5 },
    { replicationFactor: 2 },
    { storage: { size: '20Gi', retention: { whenDeleted: 'Delete' } } },
    { service: { type: 'NodePort' } },
    { monitoring: { podMonitor: { enabled: true } } },
    { podDisruptionBudget: { enabled: false } },
    { networkPolicy: { enabled: false } },
    { paused: true },
  ];
  for (const spec of harmless) assert.equal(hash(spec), hash(), JSON.stringify(spec));
});

test('what restarts no pod changes no settings either', () => {
  const settings = (spec: KVClusterSpecInput): unknown => configMap(testCluster(spec), TEST_FACTS).data;
  for (const spec of [{ replicas: 5 }, { replicationFactor: 2 }, { partitions: 64 }]) {
    assert.deepEqual(settings(spec), settings({}));
  }
});

test('the hash of the StatefulSet is the same for any number of pods, which scaling sets', () => {
  const at = (replicas: number): unknown => {
    const { annotations } = wantedStatefulSet(testCluster(), { ...TEST_FACTS, replicas }).metadata;
    return annotations?.[ANNOTATIONS.specHash];
  };
  assert.equal(at(3), at(5));
});

test('the hash of what cannot be changed in place follows the volumes alone', () => {
  const of = (spec: KVClusterSpecInput): unknown =>
    wantedStatefulSet(testCluster(spec), TEST_FACTS).metadata.annotations?.[ANNOTATIONS.fixedHash];
  assert.equal(of({ image: { tag: 'other' } }), of({}));
  assert.notEqual(of({ storage: { size: '20Gi' } }), of({}));
});

test('hashOf: the order of fields and absent ones count for nothing, the order of items does', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (record) => {
      const reversed = Object.fromEntries(Object.entries(record).toReversed());
      assert.equal(hashOf({ ...reversed, absent: undefined }), hashOf(record));
    }),
  );
  assert.notEqual(hashOf([1, 2]), hashOf([2, 1]));
});
