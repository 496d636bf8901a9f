import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readKVCluster } from './read-kvcluster.ts';

const metadata = { name: 'demo', namespace: 'shop', uid: 'u-1' };
const clusterId = '0f3c5b0e9d7a4c21b6a8e1d2f3c4b5a6';

test('readKVCluster: defaults are filled in', () => {
  const read = readKVCluster({ metadata });
  assert.ok(read.type === 'read');
  assert.deepEqual([read.cluster.spec.replicas, read.cluster.spec.storage.size], [3, '10Gi']);
  assert.deepEqual(read.cluster.status, {});
});

test('readKVCluster: says where a specification is wrong, and what is allowed', () => {
  const config = { 'moves.partitionsMax': 0, 'node.name': 'x' };
  const read = readKVCluster({ metadata, spec: { replicas: 0, config }, status: { clusterId } });
  assert.ok(read.type === 'invalid');
  assert.deepEqual(
    read.problems.map((each) => each.split(':')[0]),
    ['spec.replicas', 'spec.config.moves.partitionsMax', 'spec.config'],
  );
  assert.match(
    read.problems.join('\n'),
    /node\.name cannot be set in spec\.config: it is the name of the pod\. Remove it\./,
  );
  assert.equal(read.status.clusterId, clusterId);
});

test('readKVCluster: the id of the cluster survives a status of another version', () => {
  const read = readKVCluster({ metadata, status: { clusterId, members: [{ state: 'of tomorrow' }] } });
  assert.ok(read.type === 'read');
  assert.deepEqual(read.cluster.status, { clusterId });
});
