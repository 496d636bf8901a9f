import { test } from 'node:test';
import {
  CLUSTER_ID,
  claim,
  member,
  NOW_MS,
  node,
  observation,
  pendingPod,
  pod,
  seenStore,
  topology,
  upTo,
} from './test-observation.ts';
import { acts, refuses, waits } from './test-plan.ts';

/** planNext of a cluster that is to be made, once. */

const waiting = seenStore(
  undefined,
  upTo(3).map((ordinal) => node(ordinal, 'waiting')),
);
const unready = upTo(3).map((ordinal) => pod(ordinal, { isReady: false }));
const before = { cluster: { hasLived: false }, pods: unready };

test('NAME-0 makes it under the id of the status, once all have said that they are of none', () => {
  acts(observation({ ...before, store: waiting }), {
    type: 'bootstrap',
    node: 'kv-0',
    clusterId: CLUSTER_ID,
    replicationFactor: 3,
    partitions: 8,
  });
  const two = seenStore(undefined, waiting.nodes.slice(0, 2));
  waits(observation({ ...before, store: two }), 'WaitingForPods', /kv-2/);
});

test('a pod that cannot start does not keep five from beginning', () => {
  const pods = [...upTo(4).map((ordinal) => pod(ordinal)), pendingPod(4)];
  const store = seenStore(
    undefined,
    upTo(4).map((ordinal) => node(ordinal, 'waiting')),
  );
  const seen = observation({ ...before, count: 5, wish: { replicas: 5 }, pods, store });
  acts(seen, { type: 'bootstrap', node: 'kv-0' });
});

test('a volume that is lost before there is a store is replaced by the policy, where the others have said that they are of none', () => {
  const lost = pendingPod(0, { unschedulableSinceMs: NOW_MS - 600_000 });
  const pods = [lost, pod(1), pod(2)];
  const claims = [claim(0, { isLost: true }), claim(1), claim(2)];
  const store = seenStore(undefined, [node(1, 'waiting'), node(2, 'waiting')]);
  const seen = observation({ ...before, pods, claims, store });
  acts(seen, { type: 'replace-volume', claim: 'data-kv-0', podUid: 'pod-0' });
  const replace = { mode: 'Manual', afterMs: 0 } as const;
  refuses(
    observation({ ...before, pods, claims, store, wish: { replace } }),
    'VolumeLost',
    /kubectl delete pvc/,
  );
  const fresh = [{ ...lost, unschedulableSinceMs: NOW_MS - 1000 }, pod(1), pod(2)];
  waits(observation({ ...before, pods: fresh, claims, store }), 'VolumeLost', /in 599 s/);
  const silent = seenStore(undefined, [node(1, 'waiting')]);
  waits(observation({ ...before, pods, claims, store: silent }), 'WaitingForPods', /kv-2/);
  const inherited = [claim(0, { isLost: true, isInherited: true }), claim(1), claim(2)];
  refuses(
    observation({ ...before, pods, claims: inherited, store }),
    'VolumeLost',
    /an earlier KVCluster .* left it/,
  );
  const lived = observation({ pods, claims, store });
  waits(lived, 'NoLeader');
});

for (const state of ['joining', 'member', 'excluded'] as const)
  test(`not where a node is ${state}`, () => {
    const store = seenStore(undefined, [node(0, 'waiting'), node(1, 'waiting'), node(2, state)]);
    waits(observation({ ...before, store }), 'NoLeader');
  });

test('not where there was data: empty disks are lost disks then', () => {
  refuses(observation({ store: waiting }), 'DataLost', /no new cluster is made by itself/);
});

test('nothing is touched of a store that is another cluster', () => {
  const store = seenStore(topology(3, { clusterId: 'f'.repeat(32), members: [member(0)] }));
  refuses(observation({ count: 5, store }), 'OtherCluster', /nothing is touched/);
});
