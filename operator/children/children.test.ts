import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import type { KVClusterSpecInput } from '../api/kvcluster.ts';
import { authSecret, ownsAuthSecret } from './auth-secret.ts';
import { CHILD_KINDS, supportingChildren, wantedStatefulSet } from './children.ts';
import { TEST_FACTS, testCluster } from './test-cluster.ts';

/**
 * Each file in testdata/ begins with a specification, as a document of its own; the objects that are made of it follow.
 * `UPDATE_GOLDEN=1 ./dev.sh test operator/children` rewrites them; read the diff.
 */
const FOLDER = new URL('./testdata/', import.meta.url);

for (const name of readdirSync(FOLDER).sort()) {
  test(`children of ${name}`, () => {
    const file = new URL(name, FOLDER);
    const written = readFileSync(file, 'utf8');
    const [given = ''] = written.split(/^---$/m);
    const made = `${given}${documents(parse(given) as KVClusterSpecInput)}`;
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, made);
    else assert.equal(made, written);
  });
}

function documents(spec: KVClusterSpecInput): string {
  const cluster = testCluster(spec);
  const objects = [
    ...supportingChildren(cluster, TEST_FACTS),
    ...(ownsAuthSecret(cluster) ? [authSecret(cluster, () => 'not-so-random-token')] : []),
    wantedStatefulSet(cluster, TEST_FACTS),
  ];
  return objects
    .map(
      (object) => `---\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false, version: '1.1' })}`,
    )
    .join('');
}

test('each kind that is made is one that is looked for when it is not wanted any more', () => {
  const cluster = testCluster({
    tls: { peer: { issuerRef: { name: 'ca' } } },
    monitoring: { podMonitor: { enabled: true } },
  });
  const kinds = supportingChildren(cluster, TEST_FACTS).map(
    ({ apiVersion, kind }) => `${apiVersion} ${kind}`,
  );
  assert.deepEqual(
    new Set(kinds),
    new Set(CHILD_KINDS.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)),
  );
});

test('objects of others are made only where this Kubernetes knows them', () => {
  const cluster = testCluster({
    tls: { http: { issuerRef: { name: 'ca' } } },
    monitoring: { podMonitor: { enabled: true } },
  });
  const facts = { ...TEST_FACTS, apis: { podMonitor: false, certificate: false } };
  const kinds = supportingChildren(cluster, facts).map(({ kind }) => kind);
  assert.ok(!kinds.includes('PodMonitor') && !kinds.includes('Certificate'), kinds.join());
});

test('no budget where the store can lose no pod: it would block the drain of a node for ever', () => {
  const kinds = (spec: KVClusterSpecInput): readonly string[] =>
    supportingChildren(testCluster(spec), TEST_FACTS).map(({ kind }) => kind);
  assert.ok(kinds({}).includes('PodDisruptionBudget'));
  assert.ok(!kinds({ replicas: 1, replicationFactor: 1 }).includes('PodDisruptionBudget'));
  assert.ok(!kinds({ replicas: 3, replicationFactor: 2 }).includes('PodDisruptionBudget'));
  assert.ok(!kinds({ podDisruptionBudget: { enabled: false } }).includes('PodDisruptionBudget'));
});

test('labels and annotations of the user never replace those that the operator goes by', () => {
  const podTemplate = {
    labels: { 'app.kubernetes.io/name': 'mine', team: 'a' },
    annotations: { 'kvorum.dev/spec-hash': 'mine', note: 'b' },
  };
  const text = JSON.stringify(wantedStatefulSet(testCluster({ podTemplate }), TEST_FACTS));
  assert.doesNotMatch(text, /"mine"/);
  assert.match(text, /"team":"a"/);
  assert.match(text, /"note":"b"/);
});
