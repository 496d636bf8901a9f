import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyCommand } from '../topology/apply.ts';
import type { TopologyState } from '../topology/types.ts';
import { operationsToStart } from './automatic.ts';
import { finishedOperations, operationsOf, partitionsToMove } from './operations.ts';
import { Drive } from './test-drive.ts';
import { asked, topologyOf } from './test-moves.ts';

const ONE = { movesMax: 1, enteringPerMemberMax: 1 };
const driveOf = (members: number, partitions = 2) =>
  new Drive(topologyOf({ members, set: [1, 2, 3], partitions }), ONE);
const operationsIn = ({ state, facts }: Drive) => operationsOf(state, facts);
const still = { joint: 0, transfer: 0, switch: 0 };

test('a cluster of which nothing was asked has no operation, also before its partitions are placed', () => {
  assert.deepEqual(operationsIn(driveOf(3)), []);
  const drive = driveOf(4);
  drive.state = { ...drive.state, partitions: [] };
  assert.deepEqual(operationsIn(drive), []);
});

test('a drain goes from all that the member holds to nothing; then the member is removed and the drain is done', () => {
  const drive = driveOf(4);
  drive.drain(3);
  const id = drive.state.epoch;
  const drained = {
    ...{ name: `drain-${id}`, id, type: 'drain', member: 3, replicationFactor: undefined },
    ...{ by: 'somebody', atMs: 1, partitions: 0, endedAtMs: undefined, blockedBy: undefined },
  };
  const first = { ...drained, state: 'running', partitionsLeft: 2, partitionsMoving: 0, stages: still };
  assert.deepEqual(operationsIn(drive), [first]);
  drive.step();
  assert.deepEqual(operationsIn(drive), [{ ...first, partitionsMoving: 1, stages: { ...still, joint: 1 } }]);
  const seen = new Set<string>();
  while (drive.step()) for (const { stages } of operationsIn(drive)) seen.add(JSON.stringify(stages));
  for (const stage of ['joint', 'transfer', 'switch'])
    assert.ok(seen.has(JSON.stringify({ ...still, [stage]: 1 })));
  assert.deepEqual(operationsIn(drive), [{ ...first, state: 'done', endedAtMs: 3, partitionsLeft: 0 }]);
  assert.deepEqual([...drive.state.members.keys()], [1, 2, 4]);
});

test('a drain that is cancelled half way: moves go back where they can, and what has moved is spread anew', () => {
  const drive = driveOf(4);
  drive.drain(3);
  drive.step();
  assert.equal(drive.state.partitions[0]?.move?.stage, 'joint');
  drive.cancelDrain(3);
  while (drive.step());
  const states = operationsIn(drive).map(({ type, state }) => `${type} ${state}`);
  assert.deepEqual(states, ['drain cancelled', 'rebalance done']);
  assert.ok(drive.state.partitions.every(({ move }) => move === undefined));
});

test('a rebalance that is cancelled ends its moves, and none begins by itself until somebody comes', () => {
  const drive = driveOf(4, 4);
  drive.step();
  const [rebalance] = drive.state.operations;
  assert.deepEqual([rebalance?.want.type, rebalance?.by], ['rebalance', 'automatic']);
  assert.ok(drive.state.partitions.some(({ move }) => move !== undefined));
  assert.ok(drive.apply({ type: 'operation-cancel', id: rebalance?.id ?? drive.state.epoch, atMs: 9 }));
  while (drive.step());
  assert.ok(drive.state.partitions.every(({ replicas }) => replicas.join() === '1,2,3'));
  assert.ok(drive.apply(asked({ type: 'rebalance' })), 'but when it is asked for');
  while (drive.step());
  assert.ok(drive.state.partitions.some(({ replicas }) => replicas.includes(4)));
});

test('without automatic rebalances one that is asked for moves what should be elsewhere, and ends', () => {
  const drive = driveOf(4, 4);
  drive.rebalance = false;
  assert.equal(drive.step(), false);
  assert.equal(partitionsToMove(drive.state, drive.facts, { want: { type: 'rebalance' } }).length, 3);
  drive.apply(asked({ type: 'rebalance' }));
  assert.deepEqual(finishedOperations(drive.state, drive.facts), []);
  while (drive.step());
  assert.deepEqual(
    operationsIn(drive).map(({ state, partitionsLeft }) => [state, partitionsLeft]),
    [['done', 0]],
  );
});

test('another replication factor is done when every set has that size, and back again when it is cancelled', () => {
  const drive = driveOf(4, 4);
  const sizes = () => new Set(drive.state.partitions.map(({ replicas }) => replicas.length));
  drive.apply(asked({ type: 'factor', replicationFactor: 4 }));
  const [factor] = operationsIn(drive);
  assert.deepEqual([factor?.replicationFactor, factor?.partitionsLeft], [4, 4]);
  while (drive.step());
  assert.deepEqual(sizes(), new Set([4]));
  assert.equal(operationsIn(drive).at(-1)?.state, 'done');
  drive.apply(asked({ type: 'factor', replicationFactor: 2 }));
  drive.step();
  drive.apply({
    type: 'operation-cancel',
    id: drive.state.operations.at(-1)?.id ?? drive.state.epoch,
    atMs: 1,
  });
  while (drive.step());
  assert.deepEqual(sizes(), new Set([4]));
});

test('it says what it waits for: a member that is down before others, too few members, too few replicas', () => {
  const drive = driveOf(4);
  drive.drain(3);
  const blocked = () => operationsIn(drive).map(({ type, blockedBy }) => `${type}: ${blockedBy}`);
  drive.down.add(4);
  assert.deepEqual(blocked(), ['drain: 2 partitions: waiting for kvorum-4 (down) to come back']);
  drive.down.clear();
  drive.down.add(1).add(2);
  assert.deepEqual(blocked(), ['drain: 2 partitions: 1 of 3 replicas are up; 2 are needed']);
  drive.down.clear();
  drive.step();
  drive.step();
  drive.down.add(1);
  assert.match(blocked()[0] ?? '', /1 partition: waiting for .*kvorum-1 \(down\)/);
  drive.state = { ...drive.state, members: new Map([...drive.state.members].filter(([one]) => one !== 4)) };
  drive.step();
  assert.deepEqual(blocked(), ['drain: 2 partitions: fewer than 3 other members are up']);
});

test('of members that are lost together as many are replaced at once as leave enough others', () => {
  const replacedOf = (members: number): readonly number[] => {
    const { state, facts } = driveOf(members);
    const options = { rebalance: false, isCalm: true, isLost: (member: number) => member <= 2 };
    const wants = operationsToStart(state, facts, options);
    // What is begun together is taken together: the second of them must not be refused for the first.
    let now = state;
    for (const want of wants) {
      const { type, state: next } = applyCommand(now, asked(want));
      assert.equal(type, 'applied');
      now = next;
    }
    return wants.map((want) => (want.type === 'replace' ? want.member : 0));
  };
  assert.deepEqual([3, 4, 5].map(replacedOf), [[], [1], [1, 2]]);
});

test('a member that is lost, or was replaced, is replaced by itself, and given up where it comes back', () => {
  const drive = driveOf(5, 4);
  drive.rebalance = false;
  drive.gone.add(2);
  drive.step();
  const shown = () =>
    operationsIn(drive).map(({ type, member, state, by }) => `${type} ${member} ${state} ${by}`);
  assert.deepEqual(shown(), ['replace 2 running automatic']);
  drive.gone.clear();
  drive.step();
  assert.deepEqual(shown(), ['replace 2 cancelled automatic']);
  while (drive.step());
  const wiped: TopologyState = {
    ...drive.state,
    members: new Map([...drive.state.members].filter(([number]) => number !== 2)),
  };
  drive.state = wiped;
  drive.isCalm = false;
  assert.equal(drive.step(), false, 'who takes over its name may be about to come, and to take its share');
  drive.isCalm = true;
  while (drive.step());
  assert.equal(shown().at(-1), 'replace 2 done automatic');
  assert.ok(drive.state.partitions.every(({ replicas }) => !replicas.includes(2)));
});
