import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holdingSets } from '../quorum/replica-sets.ts';
import { planPlacement } from '../ring/placement.ts';
import type { MoveStart } from '../topology/command.ts';
import { findViolation } from '../topology/invariants.ts';
import { type Member, type TopologyState, toEpoch } from '../topology/types.ts';
import { cancelsOf } from './cancels-of.ts';
import { differingPartitions, planMoves, planTarget } from './plan-moves.ts';
import { replicaSetsOf } from './rules.ts';
import { Drive } from './test-drive.ts';
import { asked, topologyOf } from './test-moves.ts';
import { isLeft } from './wanted.ts';

const NO_LIMITS = { movesMax: 1000, enteringPerMemberMax: 1000 };
const calm = { isUp: () => true, isReplaced: () => false };

/** Placed on the first `owners` members as the cluster itself would; the others are up and hold nothing. */
function clusterOf(options: { members: number; owners: number; partitions?: number; factor?: number }) {
  const { members, owners, partitions = 8, factor = 3 } = options;
  const set = Array.from({ length: factor }, (_, index) => index + 1);
  const state = topologyOf({ members, set, partitions });
  const able = new Map([...state.members].slice(0, owners).map(([n, m]) => [n, m] as const));
  const { replicaSets } = planPlacement(state.settings, { members: able, current: [] });
  return { ...state, partitions: replicaSets.map((replicas) => ({ replicas, epoch: toEpoch(1) })) };
}
const withMember = (state: TopologyState, number: number, change: Partial<Member>): TopologyState => ({
  ...state,
  members: new Map(state.members).set(number, { ...(state.members.get(number) as Member), ...change }),
});
const shown = (moves: readonly MoveStart[]) =>
  moves.map(({ partition, to }) => `${partition} -> ${to.join()}`);

test('nothing to do is no plan: unplaced, balanced, too few members, or another primary alone', () => {
  const balanced = clusterOf({ members: 3, owners: 3 });
  assert.deepEqual(planMoves(balanced, calm, NO_LIMITS), []);
  assert.deepEqual(planMoves({ ...balanced, partitions: [] }, calm, NO_LIMITS), []);
  const turned = balanced.partitions.map((each) => ({ ...each, replicas: [3, 2, 1] }));
  assert.deepEqual(planMoves({ ...balanced, partitions: turned }, calm, NO_LIMITS), []);
  const gone = { ...calm, isReplaced: (member: number) => member === 3 };
  assert.deepEqual(planMoves(balanced, gone, NO_LIMITS), []);
  assert.equal(planTarget(withMember(balanced, 3, { isDraining: true }), calm), undefined);
});

test('a new member gets its share, as many at a time as the limits say, those under way among them', () => {
  const grown = clusterOf({ members: 4, owners: 3 });
  assert.equal(planMoves(grown, calm, NO_LIMITS).length, 6, '8 partitions of 3 replicas on 4 members');
  assert.equal(planMoves(grown, calm, { movesMax: 4, enteringPerMemberMax: 9 }).length, 4);
  const drive = new Drive(grown, { movesMax: 9, enteringPerMemberMax: 2 });
  drive.step();
  assert.equal(drive.started.length, 2);
  assert.deepEqual(planMoves(drive.state, calm, drive.limits), [], 'both still move');
  assert.equal(planMoves(drive.state, calm, { movesMax: 3, enteringPerMemberMax: 9 }).length, 1);
});

test('a partition that is not wanted takes no place from one that is', () => {
  const sets = [
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 3],
    [2, 3, 4],
  ].map((replicas) => ({ replicas, epoch: toEpoch(1) }));
  const state = withMember(
    { ...topologyOf({ members: 6, set: [1, 2, 3], partitions: 4 }), partitions: sets },
    4,
    {
      isDraining: true,
    },
  );
  const one = { movesMax: 1, enteringPerMemberMax: 1 };
  assert.deepEqual(
    planMoves(state, calm, one).map(({ partition }) => partition),
    [3],
  );
  const others = planMoves(state, calm, one, ({ replicas }) => !replicas.includes(4));
  assert.deepEqual(
    others.map(({ partition }) => partition),
    [0],
  );
});

test('the partitions with the fewest replicas up come first; without a majority of them none is moved', () => {
  const state = {
    ...topologyOf({ members: 5, set: [1, 2, 3], partitions: 4 }),
    partitions: [
      [1, 2, 3],
      [1, 2, 4],
      [2, 3, 5],
      [3, 4, 5],
    ].map((replicas) => ({ replicas, epoch: toEpoch(1) })),
  };
  const gone = (...some: number[]) => ({
    isUp: (member: number) => !some.includes(member),
    isReplaced: (member: number) => some.includes(member),
  });
  assert.deepEqual(shown(planMoves(state, gone(1), { movesMax: 1, enteringPerMemberMax: 9 })), [
    '0 -> 2,3,4',
  ]);
  const moved = planMoves(state, gone(4, 5), NO_LIMITS).map(({ partition }) => partition);
  assert.deepEqual(moved, [1, 2], '3 has one replica left');
});

test('what somebody leaves goes before what is only moved for balance', () => {
  // Member 5 holds nothing yet, and 4 goes: the last partition alone is left by somebody.
  const sets = [
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 4],
  ];
  const partitions = sets.map((replicas) => ({ replicas, epoch: toEpoch(1) }));
  const placed = { ...topologyOf({ members: 5, set: [1, 2, 3], partitions: 5 }), partitions };
  const state = withMember(placed, 4, { isDraining: true });
  const all = planMoves(state, calm, NO_LIMITS);
  assert.ok(all.length > 1);
  assert.equal(all[0]?.partition, 4);
  assert.deepEqual(planMoves(state, calm, { movesMax: 1, enteringPerMemberMax: 1 }), all.slice(0, 1));
});

test('no move begins that a member which is down would have to enter', () => {
  const grown = clusterOf({ members: 8, owners: 4, partitions: 16 });
  const entered = (down: number) => {
    const moves = planMoves(grown, { ...calm, isUp: (member) => member !== down }, NO_LIMITS);
    return new Set(moves.flatMap(({ to }) => to.filter((member) => member > 4)));
  };
  assert.deepEqual(entered(0), new Set([5, 6, 7, 8]));
  for (const down of [5, 6, 7, 8]) {
    assert.ok(!entered(down).has(down));
    assert.ok(entered(down).size > 0, 'the others go on');
  }
});

test('a move to a member that is drained, gone or replaced is cancelled, but not once reads have switched', () => {
  const drive = new Drive(clusterOf({ members: 5, owners: 3, partitions: 1 }), NO_LIMITS);
  drive.state = withMember(drive.state, 1, { isDraining: true });
  drive.step();
  assert.deepEqual(shown(drive.started), ['0 -> 2,3,5']);
  const reasons = (state: TopologyState, facts = calm as { isReplaced(member: number): boolean }) =>
    cancelsOf(state, facts).map(({ reason }) => reason);
  assert.deepEqual(reasons(drive.state), []);
  const drained = withMember(drive.state, 5, { isDraining: true });
  assert.deepEqual(reasons(drained), ['kvorum-5, to which it moves, is being drained']);
  const alone = withMember(drained, 4, { state: 'waiting', incarnation: 0, life: '' });
  assert.deepEqual(reasons(alone), [], 'nobody could take its place');
  const gone = { isReplaced: (member: number) => member === 5 };
  assert.deepEqual(reasons(drive.state, gone), ['kvorum-5, to which it moves, is gone']);
  const members = new Map([...drive.state.members].filter(([number]) => number !== 5));
  assert.deepEqual(reasons({ ...drive.state, members }), ['member 5, to which it moves, was replaced']);
  while (drive.state.partitions[0]?.move?.stage !== 'switch') drive.step();
  assert.deepEqual(reasons(drive.state, gone), []);
});

test('a calm cluster comes to its target with exactly the copies that a plan of it all names', () => {
  const cluster = fc.record({
    members: fc.integer({ min: 3, max: 8 }),
    owners: fc.integer({ min: 3, max: 8 }),
    factor: fc.integer({ min: 1, max: 3 }),
    partitions: fc.constantFrom(1, 4, 8, 16),
    drained: fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 3 }),
    limits: fc.record({
      movesMax: fc.integer({ min: 1, max: 6 }),
      enteringPerMemberMax: fc.integer({ min: 1, max: 3 }),
    }),
  });
  const property = fc.property(cluster, ({ drained, limits, ...options }) => {
    const drive = new Drive(
      clusterOf({ ...options, owners: Math.min(options.owners, options.members) }),
      limits,
    );
    for (const member of drained) drive.drain(member);
    const target = planTarget(drive.state, calm) ?? assert.fail();
    const wanted = additions(
      differingPartitions(drive.state, target).map(({ partition, to }) => [partition.replicas, to]),
    );
    const copied: [readonly number[], readonly number[]][] = [];
    while (drive.step((moves) => copied.push(...moves.map(fromTo(drive))))) assertSound(drive);
    assertDone(drive);
    assert.equal(additions(copied), wanted, 'as many copies as the whole plan needs');
    const held = drive.state.partitions.flatMap(({ replicas }) => replicas);
    assert.ok(!held.some((member) => drive.state.members.get(member)?.isDraining));
  });
  fc.assert(property, { numRuns: 300 });
});

const fromTo =
  (drive: Drive) =>
  ({ partition, to }: MoveStart): [readonly number[], readonly number[]] => [
    drive.state.partitions[partition]?.replicas ?? [],
    to,
  ];
const additions = (moves: readonly (readonly [readonly number[], readonly number[]])[]): number =>
  moves.reduce((sum, [from, to]) => sum + to.filter((member) => !from.includes(member)).length, 0);

/** Of those that are up, by the dumbest count. */
function assertSound({ state, limits, facts }: Drive): void {
  assert.equal(findViolation(state), undefined);
  const moving = state.partitions.filter(({ move }) => move !== undefined);
  assert.ok(moving.length <= limits.movesMax);
  for (const member of state.members.keys()) {
    const entering = moving.filter(
      ({ replicas, move }) => move?.to.includes(member) && !replicas.includes(member),
    );
    assert.ok(entering.length <= limits.enteringPerMemberMax);
  }
  for (const { partition, to } of planMoves(state, facts, NO_LIMITS)) {
    const replicas = state.partitions[partition]?.replicas ?? [];
    const up = replicas.filter((member) => state.members.has(member) && facts.isUp(member));
    assert.ok(up.length * 2 > replicas.length);
    assert.ok(to.every((member) => state.members.has(member) && !facts.isReplaced(member)));
  }
}

function assertDone({ state, facts }: Drive): void {
  const shownSets = JSON.stringify(state.partitions);
  assert.ok(
    state.partitions.every(({ move }) => move === undefined),
    shownSets,
  );
  const target = planTarget(state, facts);
  if (target === undefined) return;
  // After a rebalance was cancelled only what somebody leaves has to move.
  const isHeldBack = state.operations.some(({ holdsBack }) => holdsBack);
  const due = differingPartitions(state, target).filter(
    ({ partition }) => !isHeldBack || isLeft(state, partition.replicas),
  );
  assert.deepEqual(due, [], shownSets);
}

type Event = (drive: Drive) => void;
const picked = fc.nat(20);
const memberAt = ({ state }: Drive, pick: number): Member =>
  [...state.members.values()][pick % state.members.size] as Member;
const announcement = { peerAddress: 'h:1', httpAddress: 'h:2', zone: '', version: '0.1.0' };

/** Not where a set that counts would be left without a majority up: that is no matter of moves. */
function canLose({ state, facts }: Drive, member: number): boolean {
  return state.partitions.every((partition) => {
    const all = [...holdingSets(replicaSetsOf(partition)), partition.move?.to ?? partition.replicas];
    return all.every((set) => {
      const up = set.filter((one) => one !== member && state.members.has(one) && facts.isUp(one));
      return up.length * 2 > set.length;
    });
  });
}
function joins(drive: Drive, name: string, replaces: number | undefined): boolean {
  const { nextMember } = drive.state;
  const directoryId = `d${nextMember}`;
  if (!drive.apply({ type: 'join', name, directoryId, weight: 100, replaces, ...announcement })) return false;
  const life = { incarnation: 1, lives: ['x'] };
  return drive.apply({ type: 'start', member: nextMember, directoryId, ...life, ...announcement });
}

const came = new Map<string, number>();
const event = (name: string, run: (drive: Drive, pick: number) => boolean | undefined): fc.Arbitrary<Event> =>
  picked.map((pick) => (drive) => {
    if (run(drive, pick)) came.set(name, (came.get(name) ?? 0) + 1);
  });
const events: fc.Arbitrary<Event> = fc.oneof(
  event(
    'join',
    (drive) => drive.state.members.size < 9 && joins(drive, `kvorum-${drive.state.nextMember}`, undefined),
  ),
  event('drain', (drive, pick) => drive.drain(memberAt(drive, pick).number)),
  event('drain-cancel', (drive, pick) => drive.cancelDrain(memberAt(drive, pick).number)),
  event('factor', (drive, pick) => drive.apply(asked({ type: 'factor', replicationFactor: 1 + (pick % 4) }))),
  event('replace', (drive, pick) =>
    drive.apply(asked({ type: 'replace', member: memberAt(drive, pick).number })),
  ),
  event('cancel', (drive, pick) => {
    const { operations } = drive.state;
    const id = operations[pick % operations.length]?.id;
    return id !== undefined && drive.apply({ type: 'operation-cancel', id, atMs: 4 });
  }),
  event('weight', (drive, pick) =>
    drive.apply({
      type: 'update-member',
      member: memberAt(drive, pick).number,
      weight: 50 + 50 * (pick % 3),
      zone: undefined,
    }),
  ),
  event('down', (drive, pick) => {
    const { number } = memberAt(drive, pick);
    if (!canLose(drive, number)) return false;
    drive.down.add(number);
    return true;
  }),
  event('back', (drive, pick) => drive.down.delete([...drive.down][pick % drive.down.size] ?? 0)),
  event('gone', (drive, pick) => {
    const { number } = memberAt(drive, pick);
    if (!canLose(drive, number)) return false;
    drive.gone.add(number);
    return true;
  }),
  event('replaced', (drive, pick) => {
    const old = memberAt(drive, pick);
    if (!canLose(drive, old.number)) return false;
    return joins(drive, old.name, old.number);
  }),
  event('removed', (drive, pick) => {
    if (pick % 2 > 0) return drive.apply({ type: 'remove-member', member: memberAt(drive, pick).number });
    // One that joined a moment ago and holds nothing yet.
    const number = drive.state.nextMember;
    return (
      joins(drive, `kvorum-${number}`, undefined) && drive.apply({ type: 'remove-member', member: number })
    );
  }),
);

test('whatever members come, are drained, go, and come back wiped: it ends at the target', () => {
  const turns = fc.array(fc.record({ run: events, steps: fc.nat(12) }), { maxLength: 12, size: 'max' });
  const limits = fc.record({
    movesMax: fc.integer({ min: 1, max: 4 }),
    enteringPerMemberMax: fc.integer({ min: 1, max: 2 }),
  });
  let cancels = 0;
  const property = fc.property(fc.integer({ min: 4, max: 6 }), limits, turns, (members, limit, all) => {
    const drive = new Drive(clusterOf({ members, owners: members, partitions: 4 }), limit);
    for (const { run, steps } of all) {
      run(drive);
      cancels += cancelsOf(drive.state, drive.facts).length;
      for (let step = 0; step < steps; step++) {
        drive.step();
        assertSound(drive);
      }
    }
    drive.down.clear();
    // Who is lost, and cannot be replaced since the others are too few, would be waited for.
    for (const member of drive.gone) if (!drive.facts.isReplaced(member)) drive.gone.delete(member);
    let steps = 0;
    while (drive.step()) assert.ok(steps++ < 2000, 'it ends');
    assertSound(drive);
    assertDone(drive);
  });
  fc.assert(property, { numRuns: 400 });
  const missing = [
    'join',
    'drain',
    'drain-cancel',
    'factor',
    'replace',
    'cancel',
    'weight',
    'down',
    'back',
    'gone',
    'replaced',
    'removed',
  ].filter((name) => !came.has(name));
  assert.deepEqual(missing, []);
  assert.ok(cancels > 0, 'moves were cancelled');
});
