import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Plan, planNext } from './plan-next.ts';
import {
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
import { acts, refuses, waits } from './test-plan.ts';

/** planNext of pods of an older spec: one after the other, with the word of the store. */

const nothing = seenStore(undefined);

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

const live = (ordinal: number, fileHash: string) => ({
  ...node(ordinal),
  settings: { type: 'live', fileHash } as const,
});
const otherLive = (ordinal: number) => old(ordinal, { isRestartNeeded: false });

test('live settings: a pod that differs by no more stays, and is waited for until its node goes by them', () => {
  const pods = upTo(3).map(otherLive);
  const nodes = [live(0, 'file-1'), live(1, 'file-0'), live(2, 'file-0')];
  waits(
    observation({ pods, store: seenStore(topology(3), nodes) }),
    'WaitingForSettings',
    /^kv-1 and kv-2 did/,
  );
  const all = upTo(3).map((ordinal) => live(ordinal, 'file-1'));
  assert.deepEqual(planNext(observation({ pods, store: seenStore(topology(3), all) })).waits, []);
  // Who does not answer is asked again, and not restarted.
  assert.equal(planNext(observation({ pods, store: seenStore(topology(3)) })).act, undefined);
});

test('live settings: a pod that has to restart anyhow is not waited for; one of a store without them is restarted', () => {
  const pods = [old(0), otherLive(1), otherLive(2)];
  const nodes = upTo(3).map((ordinal) => live(ordinal, ordinal === 0 ? 'file-0' : 'file-1'));
  const seen = observation({ pods, store: seenStore(topology(3), nodes) });
  acts(seen, { type: 'restart-pod', pod: 'kv-0', gate: 'can-stop' });
  assert.deepEqual(planNext(seen).waits, []);
  const fixed = { ...node(1), settings: { type: 'fixed' } as const };
  const older = observation({ pods: upTo(3).map(otherLive), store: seenStore(topology(3), [fixed]) });
  acts(older, { type: 'restart-pod', pod: 'kv-1', gate: 'can-stop' });
});

test('live settings: a file that a node refuses is told of, one that is on its way is not', () => {
  const pods = upTo(3).map(otherLive);
  const refusing = (refusedHash: string) => ({
    ...node(1),
    settings: {
      ...({ type: 'live', fileHash: 'file-0' } as const),
      refused: { fileHash: refusedHash, problem: 'it does not fit' },
    },
  });
  const seen = (refusedHash: string) =>
    observation({ pods, store: seenStore(topology(3), [refusing(refusedHash)]) });
  refuses(seen('file-1'), 'SettingsRefused', /kv-1 goes on with the settings before: it does not fit/);
  waits(seen('file-of-before'), 'WaitingForSettings');
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
