import { test } from 'node:test';
import {
  CLUSTER_ID,
  member,
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
