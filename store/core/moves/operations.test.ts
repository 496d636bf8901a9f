import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemberId } from '../raft/types.ts';
import type { TopologyState } from '../topology/types.ts';
import { operationsOf } from './operations.ts';
import { Drive } from './test-drive.ts';
import { topologyOf } from './test-moves.ts';

const ONE = { movesMax: 1, enteringPerMemberMax: 1 };
const drain = (member: MemberId) => ({ type: 'drain-start', expectedEpoch: undefined, member }) as const;
const driveOf = (members: number, partitions = 2) =>
  new Drive(topologyOf({ members, set: [1, 2, 3], partitions }), ONE);
const operationsIn = ({ state, facts }: Drive) => operationsOf(state, facts);
const still = { joint: 0, transfer: 0, switch: 0 };

test('a cluster in which nothing is wanted has no operation, also before its partitions are placed', () => {
  assert.deepEqual(operationsIn(driveOf(3)), []);
  const drive = driveOf(4);
  drive.state = { ...drive.state, partitions: [] };
  assert.deepEqual(operationsIn(drive), []);
});

test('a drain goes from all that the member holds to nothing, and stays listed until it is cancelled', () => {
  const drive = driveOf(4);
  drive.apply(drain(3));
  const drained = { id: 'drain-kvorum-3', type: 'drain', member: 3 };
  const first = { ...drained, partitionsLeft: 2, partitionsMoving: 0, stages: still, blockedBy: undefined };
  assert.deepEqual(operationsIn(drive), [first]);
  drive.step();
  assert.deepEqual(operationsIn(drive), [
    {
      ...{ ...drained, partitionsLeft: 2, partitionsMoving: 1, stages: { ...still, joint: 1 } },
      blockedBy: undefined,
    },
  ]);
  const seen = new Set<string>();
  while (drive.step()) for (const { stages } of operationsIn(drive)) seen.add(JSON.stringify(stages));
  for (const stage of ['joint', 'transfer', 'switch'])
    assert.ok(seen.has(JSON.stringify({ ...still, [stage]: 1 })));
  const none = { ...first, partitionsLeft: 0 };
  assert.deepEqual(operationsIn(drive), [none]);
  drive.apply({ type: 'drain-cancel', member: 3 });
  drive.step();
  assert.deepEqual(
    operationsIn(drive).map(({ id }) => id),
    ['rebalance'],
    'what had moved is spread over all again',
  );
});

test('it says what it waits for: a member that is down before others, too few members, too few replicas', () => {
  const drive = driveOf(4);
  drive.apply(drain(3));
  const blocked = () => operationsIn(drive).map(({ id, blockedBy }) => `${id}: ${blockedBy}`);
  drive.down.add(4);
  assert.deepEqual(blocked(), ['drain-kvorum-3: 2 partitions: waiting for kvorum-4 (down) to come back']);
  drive.gone.add(4);
  assert.deepEqual(blocked(), ['drain-kvorum-3: 2 partitions: fewer than 3 other members are up']);
  drive.gone.clear();
  drive.down.clear();
  drive.down.add(1).add(2);
  assert.deepEqual(blocked(), ['drain-kvorum-3: 2 partitions: 1 of 3 replicas are up; 2 are needed']);
  drive.down.clear();
  drive.step();
  drive.step();
  drive.down.add(1);
  assert.match(blocked()[0] ?? '', /1 partition: waiting for .*kvorum-1 \(down\)/);
});

test('a member that is gone, or was replaced, is replaced; other moves are a rebalance', () => {
  const drive = driveOf(5, 4);
  drive.gone.add(2);
  const ids = () => operationsIn(drive).map(({ id, partitionsLeft }) => `${id} ${partitionsLeft}`);
  assert.deepEqual(ids(), ['replace-kvorum-2 4']);
  drive.gone.clear();
  const wiped: TopologyState = {
    ...drive.state,
    members: new Map([...drive.state.members].filter(([number]) => number !== 2)),
  };
  drive.state = wiped;
  assert.deepEqual(ids(), ['replace-member-2 4']);
  while (drive.step());
  assert.deepEqual(ids(), []);
  assert.ok(drive.state.partitions.every(({ replicas }) => !replicas.includes(2)));
  const grown = driveOf(4, 4);
  assert.deepEqual(
    operationsIn(grown).map(({ id, type, member, partitionsLeft }) => ({ id, type, member, partitionsLeft })),
    [{ id: 'rebalance', type: 'rebalance', member: undefined, partitionsLeft: 3 }],
  );
});
