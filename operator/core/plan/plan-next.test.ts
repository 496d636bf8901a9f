import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Observation, TopologySeen, Wish } from '../observation.ts';
import type { Act } from './act.ts';
import { type Plan, planNext } from './plan-next.ts';
import {
  CLUSTER_ID,
  claim,
  member,
  NOW_MS,
  node,
  observation,
  operation,
  pendingPod,
  pod,
  seenStore,
  topology,
  upTo,
} from './test-observation.ts';

function acts(seen: Observation, expected: Partial<Act> & Pick<Act, 'type'>): Plan {
  const plan = planNext(seen);
  assert.ok(plan.act, `no act: ${plan.message}`);
  const found = Object.fromEntries(Object.entries(plan.act).filter(([key]) => key in expected));
  assert.deepEqual(found, expected, plan.message);
  assert.equal(plan.requeueMs, 0);
  return plan;
}

function waits(seen: Observation, reason: string, message?: RegExp): Plan {
  const plan = planNext(seen);
  assert.equal(plan.act, undefined, plan.message);
  const note = plan.waits.find((each) => each.reason === reason);
  assert.ok(note, `${reason} is not among ${JSON.stringify(plan)}`);
  if (message !== undefined) assert.match(note.message, message);
  assert.ok(plan.requeueMs > 0);
  return plan;
}

function refuses(seen: Observation, reason: string, message: RegExp): Plan {
  const plan = planNext(seen);
  assert.equal(plan.act, undefined, plan.message);
  const note = plan.refusals.find((each) => each.reason === reason);
  assert.ok(note, `${reason} is not among ${JSON.stringify(plan)}`);
  assert.match(note.message, message);
  return plan;
}

function rests(seen: Observation): void {
  const plan = planNext(seen);
  assert.deepEqual({ ...plan, requeueMs: 0 }, { ...RESTS, requeueMs: 0 });
}

const RESTS: Plan = {
  act: undefined,
  message: 'all is as it should be',
  waits: [],
  refusals: [],
  requeueMs: 0,
};
const nothing = seenStore(undefined);

test('a cluster that is as it should be is left alone', () => rests(observation()));

describe('ground', () => {
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

  test("somebody else's objects are not touched", () => {
    const children = [
      { kind: 'Service', name: 'kv', wantedHash: 'a', seenHash: 'b', owner: 'other' },
    ] as const;
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
});

describe('bootstrap', () => {
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
});

describe('scale up', () => {
  test('more pods at once, also without a leader', () => {
    acts(observation({ wish: { replicas: 5 } }), { type: 'set-replicas', from: 3, to: 5 });
    acts(observation({ wish: { replicas: 5 }, store: nothing }), { type: 'set-replicas', from: 3, to: 5 });
  });

  test('O3: a volume that a member left behind goes before its ordinal starts again', () => {
    const left = claim(3, { left: '4', mountedBy: [] });
    const claims = [...upTo(3).map((ordinal) => claim(ordinal)), left];
    const seen = observation({ wish: { replicas: 5 }, claims });
    acts(seen, { type: 'delete-claim', claim: 'data-kv-3', uid: 'claim-3', why: 'needed' });
    const gone = { ...left, isTerminating: true };
    waits(observation({ wish: { replicas: 5 }, claims: [...claims.slice(0, 3), gone] }), 'WaitingForVolume');
    const without = observation({ wish: { replicas: 5 }, claims, store: nothing });
    waits(without, 'WaitingForVolume', /data-kv-3/);
  });

  test('O3: as far as there is nothing in the way', () => {
    const claims = [...upTo(3).map((i) => claim(i)), claim(4, { left: '5', mountedBy: [] })];
    const seen = observation({ wish: { replicas: 5 }, claims, store: nothing });
    acts(seen, { type: 'set-replicas', from: 3, to: 4 });
  });
});

describe('scale down', () => {
  const five = { count: 5, wish: { replicas: 3 } } as const;
  const drain = (ordinal: number, by = 'kvorum-operator') =>
    operation({ type: 'drain', id: `drain-${ordinal}`, member: `kv-${ordinal}`, by });
  const draining = (ordinal: number) => member(ordinal, { isDraining: true });

  test('drain the highest first, then the next, then wait', () => {
    acts(observation(five), { type: 'drain', member: 'kv-4' });
    const members = [...upTo(4).map((ordinal) => member(ordinal)), draining(4)];
    const one = seenStore(topology(5, { members, operations: [drain(4)] }));
    acts(observation({ ...five, store: one }), { type: 'drain', member: 'kv-3' });
    const both = seenStore(topology(5, { members, operations: [drain(3), drain(4)] }));
    waits(observation({ ...five, store: both }), 'Draining', /kv-4: 4 partitions left/);
  });

  test('nobody leaves while one that stays is away', () => {
    const members = [member(0), member(1, { isUp: false }), member(2), member(3), member(4)];
    const store = seenStore(topology(5, { members }));
    waits(observation({ ...five, store }), 'WaitingForMembers', /kv-1 is not up/);
  });

  test('left: the volume is marked, then the pod goes, then by policy the volume', () => {
    const store = seenStore(topology(4), [node(4, 'excluded')]);
    const known = { cluster: { knownMembers: [{ name: 'kv-4', number: 5 }] } };
    const four = { ...five, wish: { replicas: 4 }, ...known, store } as const;
    acts(observation(four), { type: 'mark-claim', claim: 'data-kv-4', left: '5' });
    const claims = [...upTo(4).map((ordinal) => claim(ordinal)), claim(4, { left: '5' })];
    acts(observation({ ...four, claims }), { type: 'set-replicas', from: 5, to: 4 });
    const ending = { ...four, claims, statefulSet: { replicas: 4 } };
    const wish = { replicas: 4, whenScaled: 'Delete' } as const;
    waits(observation({ ...ending, wish }), 'VolumeMounted');
    const gone = [...claims.slice(0, 4), claim(4, { left: '5', mountedBy: [] })];
    const pods = upTo(4).map((ordinal) => pod(ordinal));
    const ended = { ...ending, pods, claims: gone };
    acts(observation({ ...ended, wish }), { type: 'delete-claim', uid: 'claim-4', why: 'scaled-down' });
    rests(observation(ended));
  });

  test('O1: what the leader says stands above every mark, and a pod that is there above every list', () => {
    const wish = { replicas: 3, whenScaled: 'Delete' } as const;
    const marked = [...upTo(3).map((i) => claim(i)), claim(3, { left: '4', mountedBy: [] })];
    const set = { replicas: 3 };
    const pods = upTo(3).map((ordinal) => pod(ordinal));
    const isMember = observation({
      wish,
      claims: marked,
      pods,
      statefulSet: set,
      store: seenStore(topology(4)),
    });
    acts(isMember, { type: 'set-replicas', from: 3, to: 4 });
    const unknown = observation({ wish, claims: marked, pods, statefulSet: set, store: nothing });
    waits(unknown, 'NoLeader');
    const isMounted = observation({ wish, claims: marked, pods: [...pods, pod(3)], statefulSet: set });
    waits(isMounted, 'VolumeMounted');
    const byAnother = [...marked.slice(0, 3), claim(3, { left: '4', mountedBy: ['backup'] })];
    waits(observation({ wish, claims: byAnother, pods, statefulSet: set }), 'VolumeMounted');
    const unmounted = observation({ wish, claims: marked, pods, statefulSet: set });
    acts(unmounted, { type: 'delete-claim', claim: 'data-kv-3' });
  });

  test('O1: where somebody scaled the StatefulSet by hand, volumes of members stay, also while their pods cannot come back', () => {
    const seen = observation({
      wish: { replicas: 3, whenScaled: 'Delete' },
      claims: upTo(3).map((i) => claim(i, { mountedBy: [] })),
      pods: [pod(0)],
      statefulSet: { replicas: 1 },
    });
    const { act } = acts(seen, { type: 'set-replicas', from: 1, to: 3 });
    assert.ok(act);
    const next = planNext(seen, [{ act, code: 'Forbidden', message: 'a quota' }]);
    assert.equal(next.act, undefined, next.message);
  });

  test('O2: during a rolling restart no volume is chosen by what pods look like', () => {
    const wish = { whenScaled: 'Delete', replicas: 3 } as const;
    const pods = [pod(0, { hash: 'old' }), pod(1, { hash: undefined })];
    const seen = observation({ wish, pods, claims: upTo(3).map((i) => claim(i, { mountedBy: [] })) });
    waits(seen, 'WaitingForReplicas');
  });

  test('O4: killed between any two steps, the next one goes on: a member without a pod gets it back, and leaves in order', () => {
    const store = seenStore(topology(5, { members: upTo(5).map((i) => member(i, { isUp: i < 3 })) }));
    const seen = observation({ wish: { replicas: 3 }, claims: upTo(5).map((i) => claim(i)), store });
    acts(seen, { type: 'set-replicas', from: 3, to: 5 });
  });

  test('turned round: drains of its own are cancelled, those of others are theirs', () => {
    const members = [...upTo(4).map((ordinal) => member(ordinal)), draining(4)];
    const own = seenStore(topology(5, { members, operations: [drain(4)] }));
    const wish = { replicas: 5 };
    acts(observation({ count: 5, wish, store: own }), { type: 'cancel-drain', operation: 'drain-4' });
    const human = seenStore(topology(5, { members, operations: [drain(4, 'ann@desk')] }));
    rests(observation({ count: 5, wish, store: human }));
  });

  test('turned round too late: who has left joins again with an empty volume', () => {
    const store = seenStore(topology(4), [node(4, 'excluded')]);
    const claims = [...upTo(4).map((i) => claim(i)), claim(4, { left: '5' })];
    const seen = observation({ count: 5, wish: { replicas: 5 }, store, claims });
    acts(seen, { type: 'replace-volume', claim: 'data-kv-4', podUid: 'pod-4' });
  });

  test('a mark on the volume of a member is wrong, and taken away', () => {
    const claims = [claim(0), claim(1), claim(2, { left: 'unknown' })];
    acts(observation({ claims }), { type: 'mark-claim', claim: 'data-kv-2', left: undefined });
  });

  test('refused where the factor or the zones forbid it', () => {
    const wish = { replicas: 2 };
    refuses(observation({ wish }), 'TooFewMembers', /2 members cannot keep 3 replicas/);
    const zoned = ['a', 'a', 'a', 'b', 'c'].map((zone, i) => member(i, { zone }));
    const store = seenStore(topology(5, { members: zoned }));
    refuses(observation({ ...five, store }), 'TooFewZones', /without the members of b and c/);
  });

  test('a lower factor first, then the drains', () => {
    const wish = { replicas: 3, replicationFactor: 3 };
    const store = seenStore(topology(5, { replicationFactor: 5 }));
    acts(observation({ count: 5, wish, store }), { type: 'change-factor', replicationFactor: 3 });
  });

  test('a higher factor once enough members are up', () => {
    const wish = { replicas: 5, replicationFactor: 5 };
    acts(observation({ count: 5, wish }), { type: 'change-factor', replicationFactor: 5 });
    const members = upTo(5).map((i) => member(i, { isUp: i !== 3 }));
    const store = seenStore(topology(5, { members }));
    waits(observation({ count: 5, wish, store }), 'WaitingForMembers', /4 are up/);
  });

  test('one that leaves and is lost with its volume has nothing to give', () => {
    const members = [...upTo(4).map((i) => member(i)), member(4, { isUp: false })];
    const store = seenStore(topology(5, { members }));
    const pods = [...upTo(4).map((i) => pod(i)), pendingPod(4)];
    const claims = [...upTo(4).map((i) => claim(i)), claim(4, { isLost: true })];
    acts(observation({ ...five, store, pods, claims }), { type: 'replace-member', member: 'kv-4' });
    acts(observation({ ...five, store, pods }), { type: 'drain', member: 'kv-4' });
  });
});

describe('rollout', () => {
  const old = (ordinal: number, changes = {}) => pod(ordinal, { hash: 'old', ...changes });

  test('one pod, the highest ordinal, with the word of the store', () => {
    const pods = upTo(3).map((ordinal) => old(ordinal));
    acts(observation({ pods }), { type: 'restart-pod', pod: 'kv-2', uid: 'pod-2', gate: 'can-stop' });
    acts(observation({ pods: [old(0), old(1), pod(2)] }), { type: 'restart-pod', pod: 'kv-1' });
  });

  test('not before the one before is back', () => {
    waits(observation({ pods: [old(0), old(1)] }), 'WaitingForReplicas', /kv-1 waits until kv-2/);
    const starting = pod(2, { isReady: false, readyChangedMs: NOW_MS - 1000 });
    waits(observation({ pods: [old(0), old(1), starting] }), 'WaitingForReplicas');
    const members = [member(0), member(1), member(2, { isUp: false })];
    const store = seenStore(topology(3, { members }));
    waits(observation({ pods: [old(0), old(1), pod(2)], store }), 'WaitingForReplicas');
    waits(observation({ pods: [old(0), old(1), old(2, { isTerminating: true })] }), 'Restarting');
  });

  test('not on a template that the StatefulSet does not have yet', () => {
    const seen = observation({ pods: [old(0), old(1), old(2)], statefulSet: { isObserved: false } });
    waits(seen, 'WaitingForTemplate');
  });

  test('the first that does not come back stops it, and says what to do', () => {
    const broken = pendingPod(2, { stuckReason: 'ImagePullBackOff: no such image' });
    const seen = observation({ pods: [old(0), old(1), broken] });
    refuses(seen, 'RolloutStuck', /kv-2 does not come back with the new spec \(ImagePullBackOff/);
    const slow = pod(2, { isReady: false, readyChangedMs: NOW_MS - 600_000 });
    refuses(observation({ pods: [old(0), old(1), slow] }), 'RolloutStuck', /runs and is not ready/);
  });

  test('a stuck pod of an older spec is replaced first, also without a leader', () => {
    const broken = pendingPod(1, { hash: 'broken', stuckReason: 'CrashLoopBackOff: exit code 2' });
    const pods = [old(0), broken, old(2)];
    acts(observation({ pods }), { type: 'restart-pod', pod: 'kv-1', gate: 'none' });
    acts(observation({ pods, store: nothing }), { type: 'restart-pod', pod: 'kv-1', gate: 'none' });
  });

  test('without a leader one that runs is not stopped, unless it has been of no use for long', () => {
    const unready = (sinceMs: number) => old(1, { isReady: false, readyChangedMs: NOW_MS - sinceMs });
    const quiet = { store: nothing };
    waits(observation({ pods: [old(0), unready(1000), old(2)], ...quiet }), 'NoLeader');
    const seen = observation({ pods: [old(0), unready(300_000), old(2)], ...quiet });
    acts(seen, { type: 'restart-pod', pod: 'kv-1', gate: 'none' });
  });

  test('several that are not ready and wait for the new spec do not wait for each other', () => {
    const pods = [old(0), old(1, { isReady: false }), old(2, { isReady: false }), old(3), old(4)];
    const seen = observation({ count: 5, wish: { replicas: 5 }, pods });
    acts(seen, { type: 'restart-pod', pod: 'kv-2', gate: 'can-stop' });
  });

  test('where every quorum needs everybody a pause is taken', () => {
    const store = seenStore(topology(1, { replicationFactor: 1 }));
    const wish = { replicas: 1, replicationFactor: 1 };
    acts(observation({ count: 1, wish, store, pods: [old(0)] }), { type: 'restart-pod', gate: 'pause' });
  });

  test('those that leave are left alone', () => {
    const members = [...upTo(3).map((i) => member(i)), member(3, { isDraining: true })];
    const operations = [operation({ type: 'drain', member: 'kv-3' })];
    const store = seenStore(topology(4, { members, operations }));
    waits(
      observation({ count: 4, wish: { replicas: 3 }, pods: [pod(0), pod(1), pod(2), old(3)], store }),
      'Draining',
    );
  });

  const refused = (code: string): Plan => {
    const seen = observation({ pods: upTo(3).map((ordinal) => old(ordinal)) });
    const { act } = planNext(seen);
    assert.ok(act);
    return planNext(seen, [{ act, code, message: 'kv-1 has not caught up' }]);
  };
  const reasons = (notes: Plan['waits']): readonly string[] => notes.map(({ reason }) => reason);

  test('a no of the store is told, and keeps nothing else waiting', () => {
    const { act, refusals, message } = refused('NodeNotFound');
    assert.deepEqual([act, reasons(refusals)], [undefined, ['NodeNotFound']]);
    assert.match(message, /kv-2 restarts, 2 more after it: refused, kv-1 has not caught up/);
  });

  test('that it cannot stop just now is no failure: it is asked again soon, and the rollout goes on', () => {
    for (const code of ['CannotStop', 'StopLeaseTaken']) {
      const { act, refusals, waits: waiting, requeueMs, message } = refused(code);
      assert.deepEqual([act, refusals, reasons(waiting)], [undefined, [], [code]]);
      assert.match(message, /kv-2 restarts, 2 more after it: not yet, kv-1 has not caught up/);
      assert.ok(requeueMs <= 2000, `asked again after ${requeueMs} ms`);
    }
  });
});

describe('heal', () => {
  const lostMember = (changes = {}) => {
    const members = [member(0), member(1), member(2, { isUp: false, ...changes })];
    return seenStore(topology(3, { members, partitionsShort: 8 }), [node(0), node(1)]);
  };
  const lost = (sinceMs: number) => ({
    pods: [pod(0), pod(1), pendingPod(2, { unschedulableSinceMs: NOW_MS - sinceMs })],
    claims: [claim(0), claim(1), claim(2, { isLost: true })],
    store: lostMember(),
  });

  test('a lost volume is replaced after the time of the policy', () => {
    waits(observation(lost(1000)), 'VolumeLost', /in 599 s/);
    acts(observation(lost(600_000)), { type: 'replace-volume', claim: 'data-kv-2', podUid: 'pod-2' });
  });

  test('by hand where the policy says so', () => {
    const wish = { replace: { mode: 'Manual', afterMs: 0 } } as const;
    refuses(observation({ ...lost(600_000), wish }), 'VolumeLost', /kubectl delete pvc data-kv-2/);
  });

  test('never where the others would lack a majority', () => {
    const seen = observation({ ...lost(600_000), store: lostMember({ isExpendable: false }) });
    refuses(seen, 'DataAtRisk', /nothing of kv-2 is deleted/);
  });

  test('not one that is up, one that runs, or one whose volume is there', () => {
    const base = lost(600_000);
    waits(observation({ ...base, store: seenStore(topology(3)) }), 'PodsNotReady');
    waits(observation({ ...base, pods: [pod(0), pod(1), pod(2, { isReady: false })] }), 'PodsNotReady');
    waits(observation({ ...base, claims: upTo(3).map((i) => claim(i)) }), 'PodsNotReady', /Unschedulable/);
  });

  test('a rebalance that is due and has not begun is waited for, as long as it may be', () => {
    const fresh = (sinceMs: number) => pod(3, { readyChangedMs: NOW_MS - sinceMs });
    const members = [...upTo(3).map((i) => member(i)), member(3, { partitions: 0 })];
    const seen = (sinceMs: number, wish: Partial<Wish> = {}, changes: Partial<TopologySeen> = {}) =>
      observation({
        count: 4,
        wish: { replicas: 4, ...wish },
        pods: [...upTo(3).map((i) => pod(i)), fresh(sinceMs)],
        store: seenStore(topology(4, { members, ...changes })),
      });
    const plan = waits(seen(1000), 'RebalanceDue', /kv-3 will get a share/);
    assert.ok(plan.requeueMs <= 2000);
    waits(seen(34_000), 'RebalanceDue');
    rests(seen(35_000));
    waits(seen(60_000, { rebalanceAfterMs: 60_000 }), 'RebalanceDue');
    rests(seen(1000, { rebalanceAfterMs: undefined }));
    const running = waits(seen(1000, {}, { operations: [operation({ type: 'rebalance' })] }), 'Moving');
    assert.equal(running.waits.length, 1);
  });

  test('a pod on a node that is gone is deleted at once', () => {
    const pods = [pod(0), pod(1), pod(2, { isNodeGone: true, node: 'w2', isReady: false })];
    acts(observation({ pods }), { type: 'delete-lost-pod', pod: 'kv-2', uid: 'pod-2' });
  });

  test('what data does by itself is waited for', () => {
    const operations = [operation({ type: 'replace', member: 'member-3', by: 'automatic' })];
    const store = seenStore(topology(3, { operations, partitionsShort: 4 }));
    const plan = waits(observation({ store }), 'Moving', /replace-17: 4 partitions left/);
    assert.ok(plan.requeueMs <= 2000);
  });

  test('zones of the pods become those of the members', () => {
    const pods = upTo(3).map((i) => pod(i, { zone: 'abc'[i] }));
    acts(observation({ pods, wish: { usesZones: true } }), { type: 'set-zone', member: 'kv-0', zone: 'a' });
    rests(observation({ pods }));
  });
});

describe('deletion', () => {
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
    const claims = [claim(0, { clusterUid: 'other' }), claim(1), claim(2)];
    acts(observation({ ...ended, claims }), {
      type: 'delete-claim',
      claim: 'data-kv-1',
      why: 'cluster-deleted',
    });
    const going = claims.map((each) => ({ ...each, isTerminating: true }));
    waits(observation({ ...ended, claims: going }), 'Deleting', /2 volumes/);
    acts(observation({ ...ended, claims: [] }), { type: 'set-finalizer', isWanted: false });
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
});
