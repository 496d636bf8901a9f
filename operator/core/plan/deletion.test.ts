import { test } from 'node:test';
import { claim, observation, pod, upTo } from './test-observation.ts';
import { acts, rests, waits } from './test-plan.ts';

/** planNext of a KVCluster that is deleted. */

const deleting = { isDeleting: true, hasFinalizer: true };
const wish = { whenDeleted: 'Delete' } as const;

test('a finalizer exactly while volumes are to go with the cluster', () => {
  acts(observation({ wish }), { type: 'set-finalizer', isWanted: true });
  acts(observation({ cluster: { hasFinalizer: true } }), { type: 'set-finalizer', isWanted: false });
  rests(observation({ wish, cluster: { hasFinalizer: true } }));
});

test('pods, then volumes of this cluster, then the finalizer', () => {
  const cluster = deleting;
  const service = {
    kind: 'Service',
    name: 'kv-peers',
    wantedHash: 's1',
    seenHash: 's1',
    owner: 'this',
  } as const;
  acts(observation({ wish, cluster, children: [service] }), { type: 'delete-child', name: 'kv-peers' });
  acts(observation({ wish, cluster }), { type: 'delete-stateful-set', uid: 'set-1' });
  const orphans = upTo(3).map((ordinal) => pod(ordinal, { isOrphan: true }));
  acts(observation({ wish, cluster, statefulSet: undefined, pods: orphans }), {
    type: 'end-pod',
    pod: 'kv-0',
  });
  const foreign = upTo(3).map((ordinal) => claim(ordinal, { clusterUid: 'other' }));
  waits(observation({ wish, cluster, statefulSet: undefined, claims: foreign }), 'Deleting', /3 pods/);
  const ended = { wish, cluster, statefulSet: undefined, pods: [] };
  const unordered = [claim(4), claim(5), claim(3)];
  acts(observation({ ...ended, claims: unordered }), { type: 'delete-claim', claim: 'data-kv-3' });
  const claims = [claim(0, { clusterUid: 'other', clusterId: 'another' }), claim(1), claim(2)];
  acts(observation({ ...ended, claims }), {
    type: 'delete-claim',
    claim: 'data-kv-1',
    why: 'cluster-deleted',
  });
  const going = claims.map((each) => ({ ...each, isTerminating: true }));
  waits(observation({ ...ended, claims: going }), 'Deleting', /2 volumes/);
  acts(observation({ ...ended, claims: [] }), { type: 'set-finalizer', isWanted: false });
});

test('volumes of an earlier KVCluster, of which a part is taken over, go as well: a part of a cluster is of use to nobody', () => {
  const ended = { wish, cluster: deleting, statefulSet: undefined, pods: [] };
  const claims = [claim(0), claim(1, { clusterUid: 'other' }), claim(2, { clusterUid: 'other' })];
  acts(observation({ ...ended, claims }), { type: 'adopt-claim', claim: 'data-kv-1', uid: 'claim-1' });
  const kept = { ...ended, wish: { whenDeleted: 'Retain' } } as const;
  acts(observation({ ...kept, claims }), { type: 'set-finalizer', isWanted: false });
  const before = { ...deleting, clusterId: undefined };
  acts(observation({ ...ended, cluster: before, claims: claims.slice(1) }), {
    type: 'set-finalizer',
    isWanted: false,
  });
});

test('pods that no StatefulSet has are ended, also where volumes are kept, and hold nothing up after that', () => {
  const cluster = deleting;
  const orphans = [pod(0), pod(1, { isOrphan: true }), pod(2, { isOrphan: true })];
  acts(observation({ cluster, pods: orphans }), { type: 'delete-stateful-set', uid: 'set-1' });
  const alone = { cluster, statefulSet: undefined };
  acts(observation({ ...alone, pods: orphans }), { type: 'end-pod', pod: 'kv-1' });
  const ending = orphans.map((each) => ({ ...each, isTerminating: true }));
  acts(observation({ ...alone, pods: ending }), { type: 'set-finalizer', isWanted: false });
  waits(observation({ cluster, statefulSet: { isDeleting: true } }), 'Deleting');
  const strange = upTo(3).map((i) => claim(i, { clusterUid: 'other' }));
  acts(observation({ ...alone, pods: orphans, claims: strange }), {
    type: 'set-finalizer',
    isWanted: false,
  });
});

test('volumes that are kept hold nothing up', () => {
  acts(observation({ cluster: deleting }), { type: 'set-finalizer', isWanted: false });
  waits(observation({ cluster: { isDeleting: true } }), 'Deleting');
});
