import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Partition, type TopologyState, toEpoch, toMoveSession } from '../topology/types.ts';
import { canStop } from './can-stop.ts';
import { subsetsOf } from './dumb-moves.ts';
import { Drive } from './test-drive.ts';
import { topologyOf } from './test-moves.ts';

const on = (...replicas: number[]): Partition => ({ replicas, epoch: toEpoch(1) });
const stateOf = (members: number, ...partitions: Partition[]): TopologyState => ({
  ...topologyOf({ members, set: [1, 2, 3] }),
  partitions,
});
const factsOf = (down: readonly number[], voters: readonly number[] = []) => ({
  isUp: (member: number) => !down.includes(member),
  voters,
  nowMs: 1000,
  hintsFor: () => 0,
});

test('one of three can stop while the others are up; who holds nothing always can', () => {
  const state = stateOf(4, on(1, 2, 3), on(1, 2, 3));
  assert.deepEqual(canStop(state, 1, factsOf([])), { canStop: true });
  assert.deepEqual(canStop(state, 4, factsOf([1, 2])), { canStop: true });
  assert.deepEqual(canStop(state, 1, factsOf([4])), { canStop: true });
});

test('a no says in words how many partitions would have how many replicas, the worst first', () => {
  const many = Array.from({ length: 7 }, () => on(1, 2, 3));
  const state = stateOf(5, ...many, on(1, 4, 5), on(1));
  assert.deepEqual(canStop(state, 1, factsOf([2], [1, 2, 3])), {
    canStop: false,
    reasons: [
      '1 partition (8) would have 0 of 1 replicas up; 1 are needed',
      '7 partitions (0, 1, 2, 3, 4, ...) would have 1 of 3 replicas up; 2 are needed',
      'without kvorum-1, 1 of 3 voters on the topology would be up; 2 are needed',
    ],
    partitions: [0, 1, 2, 3, 4, 5, 6, 8],
  });
});

test('while a partition moves both sets count from `transfer` on; a replica that was replaced is down for good', () => {
  const from = on(1, 2, 3);
  const of = { session: toMoveSession(1), to: [4, 5, 6] };
  const joint = stateOf(6, { ...from, move: { ...of, stage: 'joint', entered: [] } });
  assert.deepEqual(canStop(joint, 4, factsOf([5])), { canStop: true });
  const moving = { ...from, epoch: toEpoch(2), move: { ...of, stage: 'switch', confirmed: [] } } as const;
  const reason = '1 partition (0) would have 1 of 3 replicas of the set that they move to up; 2 are needed';
  const verdict = canStop(stateOf(6, moving), 4, factsOf([5]));
  assert.deepEqual(verdict, { canStop: false, reasons: [reason], partitions: [0] });
  const members = new Map([...joint.members].filter(([number]) => number !== 3));
  assert.equal(canStop({ ...joint, members }, 1, factsOf([])).canStop, false);
});

test('of two that ask one after the other the second hears no, until the first has come back or did not go', () => {
  const state = { ...stateOf(3, on(1, 2, 3)), stopLeases: [{ member: 1, untilMs: 4200 }] };
  const verdict = canStop(state, 2, factsOf([], [1, 2, 3]));
  assert.deepEqual(verdict, {
    canStop: false,
    reasons: [
      '1 partition (0) would have 1 of 3 replicas up; 2 are needed',
      'without kvorum-2, 1 of 3 voters on the topology would be up; 2 are needed',
      'kvorum-1 was told that it may stop, and counts as stopped for another 4 s',
    ],
    partitions: [0],
  });
  assert.deepEqual(canStop(state, 1, factsOf([])), { canStop: true }, 'asked again');
  assert.deepEqual(canStop(state, 2, { ...factsOf([]), nowMs: 4200 }), { canStop: true }, 'it has run out');
  assert.deepEqual(canStop({ ...state, partitions: [] }, 2, factsOf([])), { canStop: true });
});

test('who has not caught up does not count', () => {
  const hintsFor = (member: number) => (member === 3 ? 12 : 0);
  const verdict = canStop(stateOf(3, on(1, 2, 3)), 2, { ...factsOf([]), hintsFor });
  assert.ok(!verdict.canStop);
  assert.match(
    verdict.reasons.join('; '),
    /1 of 3 replicas up.*kvorum-3 has not caught up: 12 writes wait for it/,
  );
});

test('a member that is drained is stopped when it is empty', () => {
  const drive = new Drive(stateOf(4, on(1, 2, 3)), { movesMax: 1, enteringPerMemberMax: 1 });
  assert.ok(drive.drain(3));
  const verdict = canStop(drive.state, 3, factsOf([]));
  const reason = 'kvorum-3 is being drained and still holds 1 partition: stop it when it is empty';
  assert.deepEqual(verdict, { canStop: false, reasons: [reason], partitions: [] });
  assert.deepEqual(canStop({ ...drive.state, partitions: [on(1, 2, 4)] }, 3, factsOf([])), { canStop: true });
});

test('it says yes exactly where a quorum of each set that counts can be found without that member', () => {
  const member = fc.integer({ min: 1, max: 6 });
  const set = fc.uniqueArray(member, { minLength: 1, maxLength: 5 });
  const partition = fc.record({
    replicas: set,
    to: set,
    stage: fc.constantFrom('still', 'joint', 'transfer', 'switch'),
  });
  const world = fc.record({
    partitions: fc.array(partition, { minLength: 1, maxLength: 4 }),
    down: fc.uniqueArray(member, { maxLength: 2 }),
    leased: fc.uniqueArray(member, { maxLength: 1 }),
    behind: fc.uniqueArray(member, { maxLength: 1 }),
    retired: fc.uniqueArray(member, { maxLength: 1 }),
    voters: fc.uniqueArray(member, { minLength: 1, maxLength: 5 }),
    who: member,
  });
  let yes = 0;
  const property = fc.property(world, ({ partitions, retired, voters, who, ...some }) => {
    const absent = [...some.leased, ...some.behind].filter((one) => one !== who && !retired.includes(one));
    const down = [...some.down, ...absent];
    const hasQuorum = (set: readonly number[], without: readonly number[]) =>
      subsetsOf(set)
        .filter((subset) => subset.length * 2 > set.length)
        .some((quorum) => quorum.every((one) => !down.includes(one) && !without.includes(one)));
    const keeps = (set: readonly number[], dead: readonly number[]) =>
      !set.includes(who) || hasQuorum(set, [who, ...dead]);
    const short = partitions.flatMap(({ replicas, to, stage }, number) => {
      const counted = stage === 'transfer' || stage === 'switch' ? [replicas, to] : [replicas];
      return counted.every((one) => keeps(one, retired)) ? [] : [number];
    });
    const all = stateOf(6, ...partitions.map(partitionOf));
    const state = {
      ...all,
      members: new Map([...all.members].filter(([number]) => !retired.includes(number))),
      stopLeases: some.leased.map((one) => ({ member: one, untilMs: 2000 })),
    };
    const hintsFor = (one: number) => (some.behind.includes(one) ? 1 : 0);
    const verdict = canStop(state, who, { ...factsOf(some.down, voters), hintsFor });
    assert.equal(verdict.canStop, short.length === 0 && keeps(voters, []));
    if (verdict.canStop) yes++;
    else assert.deepEqual(verdict.partitions, short);
  });
  fc.assert(property, { numRuns: 1000 });
  assert.ok(yes > 100);
});

function partitionOf({
  replicas,
  to,
  stage,
}: {
  replicas: number[];
  to: number[];
  stage: string;
}): Partition {
  const of = { session: toMoveSession(1), to };
  if (stage === 'still') return on(...replicas);
  const later = { replicas, epoch: toEpoch(2) };
  if (stage === 'joint') return { ...on(...replicas), move: { ...of, stage, entered: [] } };
  if (stage === 'transfer')
    return { ...later, move: { ...of, stage, confirmed: [], sources: [], synced: [] } };
  return { ...later, move: { ...of, stage: 'switch', confirmed: [] } };
}
