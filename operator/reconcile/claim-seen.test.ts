import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, PersistentVolumeClaim, Pod } from '../kube/resources.ts';
import { claimSeen } from './claim-seen.ts';

const named = (phase = 'Bound') =>
  ({
    metadata: { name: 'data-kv-0', annotations: { 'volume.kubernetes.io/selected-node': 'w1' } },
    status: { phase },
  }) as unknown as PersistentVolumeClaim;
const pod = (message: string) =>
  ({
    metadata: { name: 'kv-0' },
    spec: { volumes: [{ persistentVolumeClaim: { claimName: 'data-kv-0' } }] },
    status: { conditions: [{ type: 'PodScheduled', status: 'False', message }] },
  }) as unknown as Pod;
const AFFINITY = pod("0/8 nodes are available: 8 node(s) didn't match PersistentVolume's node affinity");
const NO_ROOM = pod('0/8 nodes are available: 8 Insufficient memory');
const node = (name: string) => ({ metadata: { name } }) as Node;

function isLost(claim: PersistentVolumeClaim, waiting: Pod, nodes: readonly Node[] | undefined): boolean {
  return claimSeen(claim, 0, { pods: [waiting], nodes, sinceMs: 0 }).isLost;
}

test('a volume is lost with its node where it is what keeps its pod from another one', () => {
  assert.equal(isLost(named(), AFFINITY, [node('w2')]), true);
  assert.equal(isLost(named(), NO_ROOM, [node('w2')]), false, 'it would follow its pod');
  assert.equal(isLost(named(), AFFINITY, [node('w1')]), false, 'the node is there');
  assert.equal(isLost(named(), AFFINITY, undefined), false, 'nobody knows');
  assert.equal(isLost(named('Lost'), NO_ROOM, [node('w1')]), true, 'Kubernetes says so');
});
