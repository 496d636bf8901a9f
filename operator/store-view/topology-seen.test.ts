import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Liveness, MemberInfo, Topology } from '@kvorum/client';
import { topologySeen } from './topology-seen.ts';

type Sets = readonly { readonly replicas: readonly number[]; readonly move?: object }[];

function seen(partitions: Sets, liveness: Readonly<Record<number, Liveness>> = {}) {
  const members = [1, 2, 3, 4].map((number) => {
    const state = 'up';
    const heard = liveness[number] ?? 'alive';
    return {
      number,
      name: `kv-${number - 1}`,
      zone: '',
      version: '1',
      isDraining: false,
      state,
      liveness: heard,
    };
  }) as unknown as readonly MemberInfo[];
  const settings = { partitions: partitions.length, replicationFactor: 3 };
  const topology = { clusterId: 'c', epoch: 7, settings, members, partitions } as unknown as Topology;
  return topologySeen({ topology, members, operations: [] });
}

const expendable = (sets: Sets, liveness?: Readonly<Record<number, Liveness>>) =>
  seen(sets, liveness)
    .members.filter(({ isExpendable }) => isExpendable)
    .map(({ number }) => number);

test('expendable is who is not needed for a majority of any of its sets', () => {
  const sets = [{ replicas: [1, 2, 3] }];
  assert.deepEqual(expendable(sets), [1, 2, 3, 4]);
  assert.deepEqual(expendable(sets, { 3: 'dead' }), [3, 4]);
  assert.deepEqual(expendable(sets, { 3: 'left' }), [3, 4]);
  assert.deepEqual(expendable(sets, { 3: 'suspect' }), [1, 2, 3, 4]);
});

test('from transfer on, the set to which a partition moves counts as well', () => {
  const moving = (stage: string) => [{ replicas: [1, 2, 3], move: { to: [4], stage } }];
  assert.deepEqual(expendable(moving('joint')), [1, 2, 3, 4]);
  assert.deepEqual(expendable(moving('transfer')), [1, 2, 3]);
  assert.equal(seen(moving('transfer'), { 4: 'dead' }).partitionsLost, 1);
});

test('short and lost: a retired number in a set is a replica that is not there', () => {
  const sets = [{ replicas: [1, 2, 9] }, { replicas: [1, 2, 3] }, { replicas: [8, 9, 1] }];
  const { partitionsShort, partitionsLost, isPlaced } = seen(sets);
  assert.deepEqual([partitionsShort, partitionsLost, isPlaced], [2, 1, true]);
  assert.deepEqual(
    seen(sets).members.map(({ partitions }) => partitions),
    [3, 2, 1, 0],
  );
  assert.equal(seen([]).isPlaced, false);
});
