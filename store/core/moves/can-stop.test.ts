import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Partition, type TopologyState, toEpoch, toMoveSession } from '../topology/types.ts';
import { canStop } from './can-stop.ts';
import { subsetsOf } from './dumb-moves.ts';
import { topologyOf } from './test-moves.ts';

const on = (...replicas: number[]): Partition => ({ replicas, epoch: toEpoch(1) });
const stateOf = (members: number, ...partitions: Partition[]): TopologyState => ({
  ...topologyOf({ members, set: [1, 2, 3] }),
  partitions,
});
const factsOf = (down: readonly number[], voters: readonly number[] = []) => ({
  isUp: (member: number) => !down.includes(member),
  voters,
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
    down: fc.uniqueArray(member, { maxLength: 3 }),
    retired: fc.uniqueArray(member, { maxLength: 1 }),
    voters: fc.uniqueArray(member, { minLength: 1, maxLength: 5 }),
    who: member,
  });
  let yes = 0;
  const property = fc.property(world, ({ partitions, down, retired, voters, who }) => {
    const hasQuorum = (some: readonly number[], without: readonly number[]) =>
      subsetsOf(some)
        .filter((subset) => subset.length * 2 > some.length)
        .some((quorum) => quorum.every((one) => !down.includes(one) && !without.includes(one)));
    const keeps = (some: readonly number[], dead: readonly number[]) =>
      !some.includes(who) || hasQuorum(some, [who, ...dead]);
    const short = partitions.flatMap(({ replicas, to, stage }, number) => {
      const counted = stage === 'transfer' || stage === 'switch' ? [replicas, to] : [replicas];
      return counted.every((one) => keeps(one, retired)) ? [] : [number];
    });
    const all = stateOf(6, ...partitions.map(partitionOf));
    const state = {
      ...all,
      members: new Map([...all.members].filter(([number]) => !retired.includes(number))),
    };
    const verdict = canStop(state, who, factsOf(down, voters));
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
