import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KVClusterStatus } from '../../api/kvcluster.ts';
import { CONDITION_TYPES, type ConditionType, clusterStatus } from '../../api/kvcluster-status.ts';
import type { Observation } from '../observation.ts';
import { planNext } from '../plan/plan-next.ts';
import {
  CLUSTER_ID,
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
} from '../plan/test-observation.ts';
import { isSameStatus, statusOf } from './status-of.ts';

const endpoints = { client: 'kv.default.svc:7400', headless: 'kv-peers.default.svc' };

function status(seen: Observation, previous?: KVClusterStatus, generation = 4): KVClusterStatus {
  const facts = { generation, previous, selector: 'a=b', endpoints };
  const found = statusOf(seen, planNext(seen), facts);
  clusterStatus.parse(found);
  assert.deepEqual(
    found.conditions?.map(({ type }) => type),
    CONDITION_TYPES,
  );
  return found;
}

function condition({ conditions }: KVClusterStatus, type: ConditionType) {
  const found = conditions?.find((each) => each.type === type);
  assert.ok(found);
  assert.match(found.reason, /^[A-Z][A-Za-z]*$/);
  return found;
}

function brief(of: KVClusterStatus): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (of.conditions ?? []).map(({ type, status: value, reason }) => [type, `${value} ${reason}`]),
  );
}

test('a cluster that is well', () => {
  const found = status(observation());
  assert.deepEqual(brief(found), {
    Ready: 'True Serving',
    Progressing: 'False AsWished',
    Degraded: 'False AllWell',
    ScalingUp: 'False AsWished',
    ScalingDown: 'False AsWished',
    Upgrading: 'False AsWished',
    Healing: 'False AllWell',
    Paused: 'False NotPaused',
  });
  const { conditions: _, members, ...rest } = found;
  assert.deepEqual(rest, {
    observedGeneration: 4,
    clusterId: CLUSTER_ID,
    epoch: 20,
    leader: 'kv-0',
    version: '0.1.0',
    membersReady: '3/3',
    replicas: 3,
    readyReplicas: 3,
    selector: 'a=b',
    endpoints,
    currentRevision: 'pods-1',
  });
  assert.deepEqual(members?.[2], { name: 'kv-2', number: 3, state: 'up', version: '0.1.0', ready: true });
});

test('what is the same is not written again, and keeps its time', () => {
  const before = status(observation());
  const later = { ...observation(), nowMs: NOW_MS + 3_600_000 };
  assert.ok(isSameStatus(before, status(later, before)));
  const paused = status({ ...observation({ wish: { isPaused: true } }), nowMs: NOW_MS + 1000 }, before);
  assert.equal(isSameStatus(before, paused), false);
  assert.equal(condition(paused, 'Ready').lastTransitionTime, condition(before, 'Ready').lastTransitionTime);
  assert.notEqual(
    condition(paused, 'Paused').lastTransitionTime,
    condition(before, 'Paused').lastTransitionTime,
  );
});

test('the generation is that which was seen, also where it is refused', () => {
  const specProblem = { reason: 'ConfigInvalid', message: 'no' };
  const found = status(observation({ cluster: { specProblem } }), undefined, 7);
  assert.equal(found.observedGeneration, 7);
  assert.equal(condition(found, 'Degraded').observedGeneration, 7);
  assert.equal(brief(found).Degraded, 'True ConfigInvalid');
});

test('without a leader: what is known of the cluster stays, and an operator that hears nobody says so', () => {
  const before = status(observation());
  const alone = status(observation({ store: seenStore(undefined) }), before);
  assert.equal(brief(alone).Ready, 'Unknown StoreUnreachable');
  assert.equal(alone.epoch, 20);
  assert.equal(alone.clusterId, CLUSTER_ID);
  assert.equal(alone.members?.[1]?.number, 2);
  const pods = upTo(3).map((ordinal) => pod(ordinal, { isReady: false }));
  const store = seenStore(undefined, [node(0), node(1)]);
  const silent = status(observation({ pods, store }), before);
  assert.equal(brief(silent).Ready, 'False NoLeader');
  assert.equal(silent.leader, undefined);
});

test('scaling: how many are members, what runs, and why it does not', () => {
  const up = status(observation({ wish: { replicas: 5 } }));
  assert.equal(brief(up).ScalingUp, 'True MembersJoin');
  assert.match(condition(up, 'ScalingUp').message, /3 of 5 are members/);
  assert.deepEqual(
    up.members?.map(({ state }) => state),
    ['up', 'up', 'up', 'absent', 'absent'],
  );
  const members = [...upTo(3).map((i) => member(i)), member(3, { isDraining: true })];
  const drain = operation({
    type: 'drain',
    member: 'kv-3',
    partitions: 8,
    partitionsLeft: 2,
    blockedBy: 'kv-1',
  });
  const rebalance = operation({ type: 'rebalance' });
  const store = seenStore(topology(4, { members, operations: [rebalance, drain] }));
  const down = status(observation({ count: 4, store }));
  assert.equal(brief(down).ScalingDown, 'True MembersLeave');
  assert.deepEqual(down.operation, {
    id: 'drain-17',
    kind: 'drain',
    percent: 75,
    movesLeft: 2,
    blockedBy: 'kv-1',
  });
  const refused = status(observation({ wish: { replicas: 2 } }));
  assert.equal(brief(refused).ScalingDown, 'False TooFewMembers');
  assert.match(condition(refused, 'ScalingDown').message, /lower spec.replicationFactor first/);
  assert.equal(
    brief(status(observation({ store: seenStore(topology(3, { operations: [rebalance] })) }))).ScalingUp,
    'True Rebalancing',
  );
});

test('an upgrade: how far, and which pod keeps it', () => {
  const before = status(observation());
  const old = upTo(3).map((ordinal) => pod(ordinal, { hash: 'old' }));
  const running = status(observation({ pods: [...old.slice(0, 2), pod(2)] }), before);
  assert.equal(brief(running).Upgrading, 'True PodsRestart');
  assert.match(condition(running, 'Upgrading').message, /1 of 3 pods/);
  const broken = pendingPod(2, { stuckReason: 'ImagePullBackOff: no' });
  const stuck = status(observation({ pods: [...old.slice(0, 2), broken] }), before);
  assert.equal(brief(stuck).Upgrading, 'False RolloutStuck');
  assert.equal(brief(stuck).Degraded, 'True RolloutStuck');
  const mixed = { ...observation({ pods: old }), wantedPodHash: 'pods-2' };
  assert.equal(status(mixed, before).currentRevision, 'pods-1');
});

test('a member that is down: served, and told', () => {
  const members = [member(0), member(1), member(2, { isUp: false })];
  const store = seenStore(topology(3, { members, partitionsShort: 8 }), [node(0), node(1)]);
  const pods = [pod(0), pod(1), pod(2, { isReady: false })];
  const found = status(observation({ pods, store }));
  assert.equal(brief(found).Ready, 'True ServingWithoutAll');
  assert.equal(brief(found).Healing, 'True PodsNotReady');
  assert.equal(brief(found).Degraded, 'True PodsNotReady');
  assert.equal(found.members?.[2]?.state, 'down');
  assert.equal(found.membersReady, '2/3');
  const lost = seenStore(topology(3, { members, partitionsShort: 8, partitionsLost: 3 }));
  assert.equal(brief(status(observation({ pods, store: lost }))).Ready, 'False PartitionsLost');
});

test('every key is served, and not by all: pods that are not ready and members that are down are told by name', () => {
  const away = status(observation({ pods: [pod(0), pod(1), pod(2, { isReady: false })] }));
  assert.equal(brief(away).Ready, 'True ServingWithoutAll');
  assert.equal(condition(away, 'Ready').message, 'every key is served; kv-2 is not ready');
  const members = [member(0), member(1, { isUp: false }), member(2)];
  const store = seenStore(topology(3, { members, partitionsShort: 8 }));
  const ending = [pod(0), pod(1), pod(2, { isTerminating: true })];
  assert.equal(
    condition(status(observation({ pods: ending, store })), 'Ready').message,
    'every key is served; kv-1 is down and kv-2 is ending; 8 partitions miss a replica',
  );
  const gone = status(observation({ pods: [pod(0), pod(1)] }));
  assert.match(condition(gone, 'Ready').message, /kv-2 has no pod/);
});

test('one that is no member yet holds nothing: all is served by all of those that do', () => {
  const pods = [...upTo(3).map((i) => pod(i)), pod(3, { isReady: false })];
  const found = status(observation({ count: 4, wish: { replicas: 4 }, pods, store: seenStore(topology(3)) }));
  assert.equal(brief(found).Ready, 'True Serving');
  assert.equal(brief(found).ScalingUp, 'True MembersJoin');
});

test('who has left keeps its number until its pod is let go: the mark on its volume names it', () => {
  const draining = [...upTo(3).map((i) => member(i)), member(3, { isDraining: true })];
  const before = status(observation({ count: 4, store: seenStore(topology(4, { members: draining })) }));
  const left = observation({ count: 4, store: seenStore(topology(3), [node(3, 'excluded')]) });
  const after = status(left, before);
  assert.deepEqual([after.members?.[3]?.state, after.members?.[3]?.number], ['left', 4]);
  const fresh = observation({
    count: 4,
    wish: { replicas: 4 },
    store: seenStore(topology(3), [node(3, 'joining')]),
  });
  assert.equal(status(fresh, after).members?.[3]?.number, undefined, 'a new member has no number yet');
});
