import { test } from 'node:test';
import { CLUSTER_ID, claim, observation, pod, seenStore, upTo } from './test-observation.ts';
import { acts, refuses, rests, waits } from './test-plan.ts';

/** planNext before the store is asked: what a KVCluster is made of, and what it is not made of. */

const nothing = seenStore(undefined);

test('a cluster that is as it should be is left alone', () => rests(observation()));

const empty = {
  count: 0,
  statefulSet: undefined,
  store: nothing,
  children: [
    { kind: 'ConfigMap', name: 'kv-config', wantedHash: 'c1', seenHash: undefined, owner: 'nobody' },
  ],
} as const;
const fresh = { clusterId: undefined, hasLived: false };

test('the id of the cluster is written down before anything is made', () => {
  acts(observation({ ...empty, cluster: fresh }), { type: 'record-cluster-id', clusterId: undefined });
});

test('then the children, then the StatefulSet', () => {
  const cluster = { hasLived: false };
  acts(observation({ ...empty, cluster }), { type: 'apply-child', kind: 'ConfigMap', name: 'kv-config' });
  acts(observation({ ...empty, cluster, children: [] }), { type: 'apply-stateful-set', replicas: 3 });
});

test('a kind that Kubernetes does not have is told of, and keeps nothing else waiting', () => {
  const missing = [{ field: 'spec.tls.http.issuerRef', api: 'Certificate', from: 'cert-manager' }];
  refuses(observation({ missing }), 'ApiMissing', /issuerRef needs Certificate.*install cert-manager/);
  acts(observation({ missing, wish: { replicas: 4 } }), { type: 'set-replicas' });
});

test('paused: nothing is changed, whatever is wanted', () => {
  waits(observation({ wish: { isPaused: true, replicas: 5 }, statefulSet: { seenHash: 'x' } }), 'Paused');
});

test('a spec that cannot be built from stops all but the status', () => {
  const specProblem = { reason: 'ConfigInvalid', message: 'moves.bytesPerSecond is no number' };
  refuses(observation({ cluster: { specProblem } }), 'ConfigInvalid', /no number/);
});

test('a name that would make a Service of two KVClusters is refused', () => {
  refuses(observation({ cluster: { name: 'kv-peers' } }), 'NameReserved', /must not end in -peers/);
});

test("somebody else's objects are not touched", () => {
  const children = [{ kind: 'Service', name: 'kv', wantedHash: 'a', seenHash: 'b', owner: 'other' }] as const;
  refuses(observation({ children }), 'NameTaken', /Service kv belongs to somebody else/);
  refuses(observation({ statefulSet: { owner: 'other' } }), 'NameTaken', /StatefulSet kv/);
  const claims = [claim(0), claim(1), claim(2, { clusterUid: undefined })];
  refuses(observation({ claims }), 'VolumeTaken', /data-kv-2 was not made for a KVCluster/);
});

test('what a deleted cluster of this name owned is collected before anything is made', () => {
  waits(observation({ statefulSet: { owner: 'former' } }), 'WaitingForCollection', /StatefulSet kv/);
});

test('what is not wanted any more is deleted, where it is ours', () => {
  const child = { kind: 'NetworkPolicy', name: 'kv', wantedHash: undefined, seenHash: 'n' } as const;
  const mine = observation({ children: [{ ...child, owner: 'this' }] });
  acts(mine, { type: 'delete-child', kind: 'NetworkPolicy', name: 'kv' });
  rests(observation({ children: [{ ...child, owner: 'other' }] }));
});

test('volumes that an earlier cluster of this name kept are taken over, with its id', () => {
  const kept = upTo(5).map((ordinal) => claim(ordinal, { clusterUid: 'old', mountedBy: [] }));
  acts(observation({ ...empty, claims: kept, cluster: fresh }), {
    type: 'record-cluster-id',
    clusterId: CLUSTER_ID,
  });
  acts(observation({ ...empty, claims: kept }), {
    type: 'adopt-claim',
    claim: 'data-kv-0',
    uid: 'claim-0',
  });
  const adopted = kept.map((each) => ({ ...each, clusterUid: 'uid-1' }));
  // All five hold data, so all five start, whatever is wanted now: then they leave in order.
  acts(observation({ ...empty, children: [], claims: adopted }), {
    type: 'apply-stateful-set',
    replicas: 5,
  });
  const mixed = [...kept.slice(1), claim(0, { clusterUid: 'old', clusterId: 'f'.repeat(32) })];
  const seen = observation({ ...empty, claims: mixed, cluster: fresh });
  refuses(seen, 'VolumesOfSeveralClusters', /data of another cluster/);
});

test('the StatefulSet: applied where it differs, made anew where it has to be, with the replicas that it has', () => {
  acts(observation({ wish: { replicas: 4 }, statefulSet: { seenHash: 'old' } }), {
    type: 'apply-stateful-set',
    replicas: 3,
  });
  const changed = { seenHash: 'old', isImmutablyDifferent: true };
  acts(observation({ statefulSet: changed }), { type: 'set-finalizer', isWanted: true });
  const cluster = { hasFinalizer: true };
  acts(observation({ cluster, statefulSet: changed }), { type: 'orphan-stateful-set', uid: 'set-1' });
  waits(observation({ cluster, statefulSet: { ...changed, isDeleting: true } }), 'Recreating');
  const orphans = upTo(3).map((ordinal) => pod(ordinal, { isOrphan: true }));
  acts(observation({ cluster, statefulSet: undefined, pods: orphans }), { type: 'apply-stateful-set' });
  rests(observation({ cluster, pods: [...orphans.slice(0, 1), pod(1), pod(2)] }));
  acts(observation({ cluster }), { type: 'set-finalizer', isWanted: false });
  acts(observation({ statefulSet: { owner: 'nobody' } }), { type: 'apply-stateful-set', replicas: 3 });
});

test('volumes grow before the StatefulSet is made anew for it', () => {
  const seen = observation({
    wish: { storageBytes: 2 ** 31 },
    cluster: { hasFinalizer: true },
    statefulSet: { isImmutablyDifferent: true },
  });
  acts(seen, { type: 'expand-claim', claim: 'data-kv-0', bytes: 2 ** 31 });
});
