import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyCommand } from './apply.ts';
import type { TopologyCommand } from './command.ts';
import { createTopology } from './genesis.ts';
import { findViolation } from './invariants.ts';
import { NUMBERS_SKIPPED_AT_RECOVERY, recoverTopology, TopologyRecoveryError } from './recover.ts';
import { type TopologyState, toEpoch } from './types.ts';

const announcement = { peerAddress: 'h:7401', httpAddress: 'h:7400', zone: '', version: '0.1.0' };
const life = { incarnation: 1, life: 'l' };
const join = (name: string): TopologyCommand => ({
  ...{ type: 'join', name, directoryId: name, weight: 100, replaces: undefined, ...announcement },
});
const start = (member: number, directoryId: string): TopologyCommand => ({
  ...{ type: 'start', member, directoryId, incarnation: 1, lives: ['l'], ...announcement },
});
const one = createTopology({
  clusterId: 'a'.repeat(32),
  settings: { partitions: 2, replicationFactor: 2 },
  createdAtMs: 0,
  first: { ...announcement, ...life, name: 'a', directoryId: 'a', weight: 100 },
});
const commands = [
  ...[join('b'), start(2, 'b'), join('c'), start(3, 'c'), join('d')],
  { type: 'create-namespace', name: 'n', createdAtMs: 1 },
  {
    type: 'place-partitions',
    expectedEpoch: toEpoch(7),
    replicaSets: [
      [1, 2],
      [2, 3],
    ],
  },
] as const satisfies readonly TopologyCommand[];
const four = commands.reduce<TopologyState>((state, command) => applyCommand(state, command).state, one);
const clusterId = 'b'.repeat(32);

test('recovery leaves the survivor alone in a new cluster, and says what is lost', () => {
  const { state, lost } = recoverTopology(four, { clusterId, survivor: 3 });
  assert.equal(findViolation(state), undefined);
  assert.equal(state.clusterId, clusterId);
  assert.deepEqual([...state.members.keys()], [3]);
  assert.deepEqual(
    state.partitions.map(({ replicas }) => replicas),
    [[3], [3]],
  );
  assert.deepEqual(state.namespaces, four.namespaces);
  assert.deepEqual(
    { ...lost, members: lost.members.map(({ number }) => number) },
    { changesAfter: 8, members: [1, 2, 4], partitions: [0], partitionsBehind: [1] },
  );
});

test('recovery skips what the lost majority may have given out', () => {
  const { state } = recoverTopology(four, { clusterId, survivor: 3 });
  const next = [state.epoch - four.epoch, state.nextMember - four.nextMember, state.nextNamespaceId - 3];
  assert.deepEqual(
    next,
    [1, 1, 1].map((gap) => gap * NUMBERS_SKIPPED_AT_RECOVERY),
  );
});

test('recovery of a cluster without data stays unplaced', () => {
  assert.deepEqual(recoverTopology(one, { clusterId, survivor: 1 }).state.partitions, []);
});

test('recovery refuses the old cluster id, and a survivor that is no member or never started', () => {
  const refuses = (options: { clusterId: string; survivor: number }, message: RegExp) =>
    assert.throws(
      () => recoverTopology(four, options),
      (error: unknown) => {
        assert.ok(error instanceof TopologyRecoveryError);
        return message.test(error.message);
      },
    );
  refuses({ clusterId: four.clusterId, survivor: 1 }, /that of the old cluster/);
  refuses({ clusterId, survivor: 9 }, /members are 1, 2, 3, 4/);
  refuses({ clusterId, survivor: 4 }, /has not started/);
});
