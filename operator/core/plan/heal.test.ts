import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodSeen, TopologySeen, Wish } from '../observation.ts';
import {
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
import { acts, refuses, rests, waits } from './test-plan.ts';

/** planNext of what was lost: volumes, nodes, and data that is being made anew. */

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

test('one that is being deleted is lost to a pod that no node takes, also where its node came back (seed 80820 of the simulation)', () => {
  const seen = (changes: Partial<PodSeen>, isTerminating = true) => {
    const { pods, store } = lost(600_000);
    const last = { ...(pods[2] as PodSeen), ...changes };
    const claims = [claim(0), claim(1), claim(2, { isTerminating })];
    return observation({ pods: [pod(0), pod(1), last], claims, store });
  };
  acts(seen({}), { type: 'replace-volume', claim: 'data-kv-2', podUid: 'pod-2', podVersion: '7' });
  waits(seen({}, false), 'PodsNotReady', /Unschedulable/);
  waits(seen({ node: 'w1', stuckReason: 'CrashLoopBackOff' }), 'PodsNotReady', /CrashLoopBackOff/);
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
