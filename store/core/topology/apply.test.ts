import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyCommand } from './apply.ts';
import { decodeState, encodeState } from './codec.ts';
import type { ApplyOutcome, RequestedWant, TopologyCommand, TopologyRefusalCode } from './command.ts';
import { createTopology, type GenesisOptions } from './genesis.ts';
import { findViolation } from './invariants.ts';
import { LIMITS } from './limits.ts';
import { receivers } from './shares.ts';
import { type Member, type TopologyState, toEpoch } from './types.ts';

/** The rules of docs/topology.md, one by one. */

const announcement = { peerAddress: 'h:7401', httpAddress: 'h:7400', zone: '', version: '0.1.0' };
const genesis: GenesisOptions = {
  clusterId: 'c0'.repeat(16),
  settings: { partitions: 2, replicationFactor: 2 },
  createdAtMs: 7,
  first: { ...announcement, name: 'a', directoryId: 'dir-a', weight: 100, incarnation: 1, life: 'l1' },
};
const one = createTopology(genesis);

const join = (name: string, directoryId = `dir-${name}`, replaces?: number): TopologyCommand => ({
  ...{ type: 'join', name, directoryId, weight: 100, replaces, ...announcement },
});
const start = (member: number, name: string, more: object = {}): TopologyCommand => ({
  ...{ type: 'start', member, directoryId: `dir-${name}`, incarnation: 1, lives: ['l1'], ...announcement },
  ...more,
});
const remove = (member: number): TopologyCommand => ({ type: 'remove-member', member });
const place = (state: TopologyState, ...replicaSets: number[][]): TopologyCommand => ({
  ...{ type: 'place-partitions', expectedEpoch: state.epoch, replicaSets },
});

function run(state: TopologyState, ...commands: readonly TopologyCommand[]): TopologyState {
  return commands.reduce((current, command) => {
    const outcome = applyCommand(current, command);
    assert.equal(outcome.type, 'applied', JSON.stringify(outcome));
    assert.equal(outcome.state.epoch, current.epoch + 1);
    assert.equal(findViolation(outcome.state), undefined);
    return outcome.state;
  }, state);
}

function assertRefused(
  state: TopologyState,
  command: TopologyCommand,
  code: TopologyRefusalCode,
  says: RegExp,
) {
  const outcome = applyCommand(state, command);
  assert.ok(outcome.type === 'refused', JSON.stringify(outcome));
  assert.equal(outcome.refusal.code, code);
  assert.match(outcome.refusal.message, says);
  assert.equal(outcome.state, state);
}

function assertUnchanged(state: TopologyState, command: TopologyCommand, subject: number) {
  assert.deepEqual(pick(applyCommand(state, command)), { type: 'unchanged', subject });
  assert.equal(applyCommand(state, command).state, state);
}

function pick(outcome: ApplyOutcome) {
  return { type: outcome.type, subject: outcome.type === 'refused' ? undefined : outcome.subject };
}

const two = run(one, join('b'), start(2, 'b'));
const placed = run(two, place(two, [1, 2], [2, 1]));

test('a new topology has one member, which is up, at epoch 1, and the default namespace', () => {
  assert.deepEqual(
    { epoch: one.epoch, nextMember: one.nextMember, partitions: one.partitions },
    { epoch: 1, nextMember: 2, partitions: [] },
  );
  assert.deepEqual(
    [...one.members.values()],
    [{ ...genesis.first, number: 1, state: 'up', isDraining: false, zoneReplaced: undefined }],
  );
  assert.deepEqual(
    [...one.namespaces.values()],
    [{ name: 'default', id: 1, consistency: 'quorum', createdAtMs: 7 }],
  );
});

test('with a replication factor of 1 the first member owns everything at once', () => {
  const alone = createTopology({ ...genesis, settings: { partitions: 2, replicationFactor: 1 } });
  assert.deepEqual(alone.partitions, [
    { replicas: [1], epoch: 1 },
    { replicas: [1], epoch: 1 },
  ]);
  assert.equal(findViolation(alone), undefined);
});

test('join gives the next number to a member that waits; the same directory gets the same number again', () => {
  const outcome = applyCommand(one, join('b'));
  assert.deepEqual(pick(outcome), { type: 'applied', subject: 2 });
  const { state, incarnation, life } = outcome.state.members.get(2) as Member;
  assert.deepEqual({ state, incarnation, life }, { state: 'waiting', incarnation: 0, life: '' });
  assertUnchanged(outcome.state, join('b'), 2);
  assertUnchanged(two, join('b', 'dir-b', 2), 2);
});

test('join refuses a name that another directory holds, unless it replaces exactly that member', () => {
  assertRefused(two, join('b', 'new'), 'NAME_TAKEN', /held by member 2/);
  assertRefused(two, join('b', 'new', 1), 'NAME_TAKEN', /held by member 2/);
  const replaced = run(two, join('b', 'new', 2));
  assert.deepEqual([...replaced.members.keys()], [1, 3]);
  assertUnchanged(replaced, join('b', 'new', 2), 3);
  assertRefused(replaced, start(2, 'b'), 'MEMBER_NOT_FOUND', /was removed/);
});

test('join refuses a directory that is a member under another name', () => {
  assertRefused(two, join('c', 'dir-b'), 'NAME_TAKEN', /is that of member 2, named b/);
});

test('join replaces neither a member without which partitions are lost nor the only one that started', () => {
  const lost = /too few replicas are left of 2 partitions \(0, 1\).*Start it on its own directory/;
  assertRefused(placed, join('b', 'new', 2), 'MEMBER_OWNS_DATA', lost);
  assertRefused(run(one, join('b')), join('a', 'new', 1), 'LAST_MEMBER', /No other member has started/);
});

test('D15: a wiped owner comes back under a new number; the old one is a dead replica, and no second may be', () => {
  const three = createTopology({ ...genesis, settings: { partitions: 2, replicationFactor: 3 } });
  const full = run(three, join('b'), start(2, 'b'), join('c'), start(3, 'c'), join('d'), start(4, 'd'));
  const owned = run(full, place(full, [1, 2, 3], [3, 4, 1]));
  const wiped = run(owned, join('b', 'wiped', 2));
  assert.deepEqual([...wiped.members.keys()], [1, 3, 4, 5]);
  assert.equal(wiped.partitions, owned.partitions, 'it has none of the data, and is in none of the sets');
  assertRefused(wiped, start(2, 'b'), 'MEMBER_NOT_FOUND', /was removed/);
  assertRefused(wiped, join('c', 'wiped too', 3), 'MEMBER_OWNS_DATA', /of 1 partitions \(0\)/);
  assert.deepEqual(decodeState(encodeState(wiped)), wiped);
  assert.match(new TextDecoder().decode(encodeState(wiped)), /^\{"format":2/);
  run(wiped, join('d', 'wiped too', 4));
  const up = run(wiped, start(5, 'b', { directoryId: 'wiped' }));
  const [partition] = up.partitions;
  const move = (...to: number[]): TopologyCommand => ({
    ...{ type: 'move-start', replicationFactor: 3 },
    moves: [{ partition: 0, epoch: partition?.epoch ?? up.epoch, to }],
  });
  assertRefused(up, move(1, 2, 5), 'BAD_PLACEMENT', /names 2, which is not a member/);
  const joint = run(up, move(1, 3, 5));
  const again = run(joint, join('b', 'wiped again', 5));
  assert.equal(
    again.partitions,
    joint.partitions,
    'of T nothing is lost before reads and writes count on it',
  );
});

test('join refuses more members than the limit, but a replacement is not one more', () => {
  const names = Array.from({ length: LIMITS.membersMax - 2 }, (_, i) => `m${i}`);
  const full = names.reduce((state, name) => applyCommand(state, join(name)).state, two);
  assert.equal(full.members.size, LIMITS.membersMax);
  assertRefused(full, join('late'), 'MEMBER_LIMIT', /at most 1000/);
  assert.equal(run(full, join('b', 'new', 2)).members.size, LIMITS.membersMax);
});

test('start records a life and where it is reached; the same again changes nothing', () => {
  const restarted = run(two, start(2, 'b', { incarnation: 2, lives: ['l1', 'l2'], peerAddress: 'moved:1' }));
  const { incarnation, life, peerAddress, state } = restarted.members.get(2) as Member;
  assert.deepEqual(
    { incarnation, life, peerAddress, state },
    { incarnation: 2, life: 'l2', peerAddress: 'moved:1', state: 'up' },
  );
  assertUnchanged(two, start(2, 'b'), 2);
  assert.equal(run(two, start(2, 'b', { zone: 'z' })).members.get(2)?.zone, 'z');
});

test('start refuses what runs on an older copy of the directory, or on another', () => {
  const again = (incarnation: number, ...lives: string[]): TopologyCommand =>
    start(2, 'b', { incarnation, lives });
  const later = run(two, again(3, 'l1', 'l2', 'l3'));
  assertRefused(later, again(2, 'l1', 'l2'), 'MEMBER_STALE', /seen incarnation 3/);
  assertRefused(later, again(3, 'l1', 'l2', 'copy'), 'MEMBER_STALE', /does not know/);
  assertRefused(later, start(2, 'x', { incarnation: 4 }), 'MEMBER_STALE', /another data directory/);
  assertRefused(
    run(one, join('b')),
    start(2, 'b', { incarnation: 0, lives: [''] }),
    'MEMBER_STALE',
    /first is 1/,
  );
  assertRefused(later, start(3, 'c'), 'MEMBER_NOT_FOUND', /no member 3/);
});

test('start refuses an older copy however often it was started; it may forget what was registered', () => {
  const again = (incarnation: number, ...lives: string[]): TopologyCommand =>
    start(2, 'b', { incarnation, lives });
  const later = run(two, again(2, 'l1', 'l2'));
  assertRefused(later, again(3, 'l1', 'copy-1', 'copy-2'), 'MEMBER_STALE', /does not know/);
  assertRefused(
    later,
    again(5, 'l1', 'copy-1', 'copy-2', 'copy-3', 'copy-4'),
    'MEMBER_STALE',
    /does not know/,
  );
  assert.equal(run(later, again(4, 'l2', 'l3', 'l4')).members.get(2)?.life, 'l4');
  assert.equal(run(later, again(4, 'l1', 'l2', 'l3', 'l4')).members.get(2)?.life, 'l4');
});

test('update-member sets the weight', () => {
  const update = (member: number, weight: number): TopologyCommand => ({
    ...{ type: 'update-member', member, weight, zone: undefined },
  });
  const heavy = run(two, update(2, 200));
  assert.equal(heavy.members.get(2)?.weight, 200);
  assertUnchanged(heavy, update(2, 200), 2);
  assertRefused(heavy, update(9, 200), 'MEMBER_NOT_FOUND', /no member 9/);
});

test('a zone that is set by hand counts until the member announces another one than it did then', () => {
  const zoneAfter = (...commands: TopologyCommand[]) => run(two, ...commands).members.get(2)?.zone;
  const update = (zone: string): TopologyCommand => ({
    ...{ type: 'update-member', member: 2, weight: undefined, zone },
  });
  let versions = 2;
  const again = (zone: string): TopologyCommand => start(2, 'b', { zone, version: `0.${versions++}.0` });
  const said = two.members.get(2)?.zone ?? assert.fail();
  assert.equal(zoneAfter(update('y')), 'y');
  assert.equal(zoneAfter(update('y'), again(said)), 'y');
  assert.equal(zoneAfter(update('y'), again('x')), 'x');
  assert.equal(zoneAfter(update('y'), again('x'), again(said)), said);
  assert.equal(zoneAfter(update('y'), update(said), again('x')), 'x');
  assertUnchanged(two, update(said), 2);
});

const ask = (want: RequestedWant, atMs = 1): TopologyCommand => ({
  ...{ type: 'operation-start', want, isForced: false, by: 'somebody', atMs, partitions: 2 },
});
const drain = (member: number): TopologyCommand => ask({ type: 'drain', member });
const factor = (replicationFactor: number): TopologyCommand => ask({ type: 'factor', replicationFactor });
const cancel = (id: number, atMs = 5): TopologyCommand => ({
  type: 'operation-cancel',
  id: toEpoch(id),
  atMs,
});
const end = (id: number, atMs = 6): TopologyCommand => ({ type: 'operation-end', id: toEpoch(id), atMs });
const started = run(placed, join('c'), start(3, 'c'));

test('a drain marks a member from when it is asked for until it is cancelled', () => {
  assertRefused(placed, drain(2), 'TOO_FEW_MEMBERS', /1 of the other members .* each partition needs 2/);
  const waits = run(placed, join('c'));
  assertRefused(waits, drain(2), 'TOO_FEW_MEMBERS', /1 of the other/);
  assertRefused(started, drain(9), 'MEMBER_NOT_FOUND', /no member 9/);
  const drained = run(started, drain(2));
  assert.deepEqual(
    [...drained.members.values()].map(({ isDraining }) => isDraining),
    [false, true, false],
  );
  const [operation] = drained.operations;
  const asked = { by: 'somebody', atMs: 1, partitions: 2, holdsBack: false };
  const running = { id: drained.epoch, want: { type: 'drain', member: 2 }, ...asked };
  assert.deepEqual(operation, { ...running, state: 'running', endedAtMs: undefined });
  assertUnchanged(drained, drain(2), drained.epoch);
  assertRefused(
    drained,
    drain(3),
    'TOO_FEW_MEMBERS',
    /1 of the other members have started .* each partition needs 2\./,
  );
  assert.equal(run(drained, start(2, 'b', { zone: 'z' })).members.get(2)?.isDraining, true);
  const cancelled = run(drained, cancel(drained.epoch));
  assert.deepEqual(cancelled.members, started.members);
  assert.deepEqual(cancelled.operations, [{ ...running, state: 'cancelled', endedAtMs: 5 }]);
  assertUnchanged(cancelled, cancel(drained.epoch), drained.epoch);
  assertRefused(cancelled, cancel(99), 'OPERATION_NOT_FOUND', /known are drain-/);
});

test('a drain ends with the removal of the member, and not while it holds data', () => {
  const drained = run(started, drain(2));
  const { epoch: id } = drained;
  assertRefused(drained, end(id), 'MEMBER_OWNS_DATA', /member 2 owns partitions still/);
  const empty = { ...drained, partitions: drained.partitions.map((each) => ({ ...each, replicas: [1, 3] })) };
  const done = run(empty, end(id));
  assert.deepEqual([...done.members.keys()], [1, 3]);
  assert.deepEqual([done.operations[0]?.state, done.operations[0]?.endedAtMs], ['done', 6]);
  assertUnchanged(done, end(id), id);
  assertRefused(done, cancel(id), 'OPERATION_NOT_CANCELLABLE', /drain-\d+ is done/);
  const byHand = run(empty, remove(2));
  assert.deepEqual([byHand.operations[0]?.state, byHand.operations[0]?.endedAtMs], ['done', undefined]);
});

test('a replaced member holds nothing new, and is as before where that is cancelled', () => {
  const replaced = run(started, ask({ type: 'replace', member: 2 }));
  assert.deepEqual(
    receivers(replaced).map(({ number }) => number),
    [1, 3],
  );
  assertRefused(replaced, drain(3), 'TOO_FEW_MEMBERS', /1 of the other members/);
  assertRefused(started, ask({ type: 'replace', member: 7 }), 'MEMBER_NOT_FOUND', /no member 7/);
  assert.equal(receivers(run(replaced, cancel(replaced.epoch))).length, 3);
  const members = new Map([...started.members].filter(([number]) => number !== 2));
  const partitions = started.partitions.map((each) => ({ ...each, replicas: [1, 2, 3] }));
  const retired = run({ ...started, members, partitions }, ask({ type: 'replace', member: 2 }));
  assertRefused(retired, cancel(retired.epoch), 'OPERATION_NOT_CANCELLABLE', /number 2 is retired/);
  assertRefused(retired, end(retired.epoch), 'MEMBER_OWNS_DATA', /owns partitions still/);
});

test('the last member of a zone is drained only by force, where the replicas would share a zone then', () => {
  const zoned = (zones: readonly string[]): TopologyState => ({
    ...started,
    members: new Map([...started.members].map(([n, each], i) => [n, { ...each, zone: zones[i] ?? '' }])),
  });
  const two = zoned(['x', 'y', 'x']);
  assertRefused(
    two,
    drain(2),
    'TOO_FEW_ZONES',
    /no member of zone y .* 2 replicas .* share 1 zones.*force it/,
  );
  assertRefused(two, ask({ type: 'replace', member: 2 }), 'TOO_FEW_ZONES', /zone y/);
  run(two, { ...drain(2), isForced: true } as TopologyCommand);
  run(two, drain(1));
  run(zoned(['x', 'y', 'z']), drain(2));
  run(zoned(['x', 'x', 'x']), drain(2));
});

test('the replication factor changes at once; the sets follow', () => {
  assertRefused(placed, factor(3), 'TOO_FEW_MEMBERS', /cannot be 3: 2 members have started/);
  assertUnchanged(started, factor(2), 0);
  const three = run(started, factor(3));
  assert.equal(three.settings.replicationFactor, 3);
  assertRefused(three, drain(3), 'TOO_FEW_MEMBERS', /each partition needs 3/);
  const one = run(three, factor(1));
  assert.deepEqual(
    one.operations.map(({ state }) => state),
    ['cancelled', 'running'],
    'the newest wish counts',
  );
  assert.equal(run(one, cancel(one.epoch)).settings.replicationFactor, 3);
});

test('a cancelled rebalance holds others back until somebody comes, goes or weighs more', () => {
  const running = run(started, ask({ type: 'rebalance' }));
  assertUnchanged(running, ask({ type: 'rebalance' }), running.epoch);
  const cancelled = run(running, cancel(running.epoch));
  const holdsBack = (...commands: TopologyCommand[]) =>
    run(cancelled, ...commands).operations.some((operation) => operation.holdsBack);
  assert.equal(holdsBack(), true);
  assert.equal(holdsBack({ type: 'create-namespace', name: 'n', createdAtMs: 1 }), true);
  assert.equal(holdsBack(join('d')), true, 'it has not started');
  assert.equal(holdsBack(join('d'), start(4, 'd')), false);
  assert.equal(holdsBack({ type: 'update-member', member: 2, weight: 7, zone: undefined }), false);
  assert.equal(holdsBack({ type: 'update-member', member: 2, weight: undefined, zone: 'y' }), false);
  assert.equal(holdsBack(drain(2)), false);
  assert.equal(holdsBack(factor(1)), false);
});

test('of the operations that ended the last ones are kept', () => {
  let state = started;
  for (let round = 0; round < LIMITS.operationsEndedMax + 3; round++) {
    state = run(state, ask({ type: 'rebalance' }));
    state = run(state, end(state.epoch));
  }
  assert.equal(state.operations.length, LIMITS.operationsEndedMax);
  assert.equal(state.operations.at(-1)?.id, state.epoch - 1);
});

test('who is told that it may stop is known to whoever decides next', () => {
  const lease = (member: number, seen: number[], atMs: number): TopologyCommand => ({
    ...{ type: 'stop-lease', member, seen, atMs, untilMs: atMs + 10 },
  });
  const first = run(started, lease(1, [], 0));
  assert.deepEqual(first.stopLeases, [{ member: 1, untilMs: 10 }]);
  assertRefused(first, lease(2, [], 9), 'STOP_LEASE_TAKEN', /a was told meanwhile/);
  assert.deepEqual(run(first, lease(2, [1], 9)).stopLeases.length, 2);
  assert.deepEqual(run(first, lease(2, [], 10)).stopLeases, [{ member: 2, untilMs: 20 }], 'it has run out');
  assert.deepEqual(run(first, lease(1, [], 5)).stopLeases, [{ member: 1, untilMs: 15 }], 'asked again');
  assertRefused(first, lease(9, [1], 5), 'MEMBER_NOT_FOUND', /no member 9/);
  assert.deepEqual(run(first, start(1, 'a', { version: '0.2.0' })).stopLeases, [], 'it is back');
});

test('a member that is being drained is given no data, and keeps what it has in a set that moves', () => {
  const three = run(two, join('c'), start(3, 'c'), drain(2));
  assertRefused(three, place(three, [1, 2], [1, 3]), 'BAD_PLACEMENT', /names 2, which is being drained/);
  const both = run(three, cancel(three.epoch));
  const drained = run(both, place(both, [1, 2], [1, 3]), drain(2));
  const move = (partition: number, ...to: number[]): TopologyCommand => ({
    ...{ type: 'move-start', replicationFactor: 2 },
    moves: [{ partition, epoch: drained.partitions[0]?.epoch ?? drained.epoch, to }],
  });
  assertRefused(drained, move(1, 1, 2), 'BAD_PLACEMENT', /member 2, which is being drained/);
  run(drained, move(0, 2, 3));
});

test('remove-member retires a number for ever; again it is done already', () => {
  const removed = run(two, remove(2));
  assert.deepEqual([...removed.members.keys()], [1]);
  assertUnchanged(removed, remove(2), 2);
  assert.deepEqual(pick(applyCommand(removed, join('b'))), { type: 'applied', subject: 3 });
});

test('O1: remove-member, whatever its asker saw, refuses the last that started, an owner of data, and a number never given', () => {
  assertRefused(one, remove(1), 'LAST_MEMBER', /only one that has started/);
  assertRefused(run(one, join('b')), remove(1), 'LAST_MEMBER', /only one that has started/);
  assertRefused(placed, remove(2), 'MEMBER_OWNS_DATA', /owns partitions/);
  for (const number of [3, 0, -1, 1.5]) assertRefused(two, remove(number), 'MEMBER_NOT_FOUND', /no member/);
});

test('place-partitions places all of them once, at the epoch that it was planned for', () => {
  assert.deepEqual(placed.partitions, [
    { replicas: [1, 2], epoch: placed.epoch },
    { replicas: [2, 1], epoch: placed.epoch },
  ]);
  assertRefused(placed, place(placed, [1, 2], [2, 1]), 'ALREADY_PLACED', /placed already/);
  assertRefused(run(two, join('c')), place(two, [1, 2], [2, 1]), 'EPOCH_CHANGED', /planned at epoch 3/);
});

test('place-partitions refuses sets that are too few, too small, repeated, or of strangers', () => {
  assertRefused(two, place(two, [1, 2]), 'BAD_PLACEMENT', /has 1 replica sets/);
  assertRefused(two, place(two, [1, 2], [1]), 'BAD_PLACEMENT', /factor is 2/);
  assertRefused(two, place(two, [1, 2], [1, 1]), 'BAD_PLACEMENT', /twice/);
  assertRefused(two, place(two, [1, 2], [1, 3]), 'BAD_PLACEMENT', /3, which is not a member/);
});

test('a namespace is made once; a later one of its name has another id, and only the one meant is dropped', () => {
  const create: TopologyCommand = { type: 'create-namespace', name: 'n', createdAtMs: 9 };
  const drop = (id: number, name = 'n'): TopologyCommand => ({ type: 'drop-namespace', name, id });
  const made = run(one, create);
  assertUnchanged(made, { ...create, createdAtMs: 10 }, 2);
  const dropped = run(made, drop(2));
  assertRefused(dropped, drop(2), 'NAMESPACE_NOT_FOUND', /no namespace n/);
  const again = run(dropped, create);
  assert.equal(again.namespaces.get('n')?.id, 3);
  assertRefused(again, drop(2), 'NAMESPACE_NOT_FOUND', /has the id 3/);
  assertRefused(again, drop(1, 'default'), 'NAMESPACE_PROTECTED', /part of every cluster/);
});

test('namespaces have a hard cap', () => {
  const filler = { name: '', id: 0, consistency: 'quorum', createdAtMs: 0 } as const;
  const entries = Array.from({ length: LIMITS.namespacesMax }, (_, i) => [`n${i}`, filler] as const);
  const full: TopologyState = { ...one, namespaces: new Map(entries) };
  const create: TopologyCommand = { type: 'create-namespace', name: 'late', createdAtMs: 9 };
  assertRefused(full, create, 'NAMESPACE_LIMIT', /at most 100000/);
});
