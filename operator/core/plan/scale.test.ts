import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PodSeen } from '../observation.ts';
import { planNext } from './plan-next.ts';
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

/** planNext of more pods, or fewer: who leaves gives its data away first. */

const nothing = seenStore(undefined);

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

  test('a pod that may be joining just now stays; one that could have joined for long, and has not, goes', () => {
    const minutesAgo = (minutes: number) => NOW_MS - minutes * 60_000;
    const waiting = pod(3, { isReady: false, readyChangedMs: minutesAgo(60) });
    const claims = [...upTo(3).map((i) => claim(i)), claim(3, { left: 'unknown' })];
    const seen = { wish: { replicas: 3 }, claims, statefulSet: { replicas: 4 } } as const;
    const servingFor = (minutes: number) =>
      upTo(3).map((ordinal) => pod(ordinal, { readyChangedMs: minutesAgo(minutes) }));
    acts(observation({ ...seen, pods: [...servingFor(60), waiting] }), {
      type: 'set-replicas',
      from: 4,
      to: 3,
    });
    // The cluster was made a minute ago: until then there was nothing to join; and it may still join while it ends (seed 60535 of the simulation).
    for (const isTerminating of [false, true])
      waits(
        observation({ ...seen, pods: [...servingFor(1), { ...waiting, isTerminating }] }),
        'WaitingForJoin',
        /kv-3/,
      );
    const fresh = pod(3, { isReady: false, readyChangedMs: minutesAgo(1) });
    waits(observation({ ...seen, pods: [...servingFor(60), fresh] }), 'WaitingForJoin', /kv-3/);
  });

  test('a pod that is about to run stays as well, but not one of which something says that it cannot, nor for ever', () => {
    const starting = { isRunning: false, isReady: false, readyChangedMs: NOW_MS - 60_000 };
    const claims = [...upTo(3).map((i) => claim(i)), claim(3, { left: 'unknown' })];
    const withFourth = (changes: Partial<PodSeen>) =>
      observation({
        ...{ wish: { replicas: 3 }, claims, statefulSet: { replicas: 4 } },
        pods: [...upTo(3).map((ordinal) => pod(ordinal)), pod(3, { ...starting, ...changes })],
      });
    waits(withFourth({}), 'WaitingForJoin', /kv-3/);
    const shrinks = { type: 'set-replicas', version: '7', from: 4, to: 3 } as const;
    acts(withFourth({ stuckReason: 'Unschedulable: no node has room' }), shrinks);
    acts(withFourth({ isTerminating: true }), shrinks);
    acts(withFourth({ readyChangedMs: NOW_MS - 60 * 60_000 }), shrinks);
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
