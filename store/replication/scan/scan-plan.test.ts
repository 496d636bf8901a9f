import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Level, needed } from '../../core/quorum/quorum-sizes.ts';
import type { PartitionView } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { toEpoch } from '../../core/topology/types.ts';
import { planScan } from './scan-plan.ts';

const viewOf = (set: readonly MemberId[]): PartitionView => ({
  epoch: toEpoch(1),
  sets: { type: 'still', set },
});

test('planScan: every partition at R distinct replicas, one of them in full; never a member that is not needed', () => {
  const set = fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 5 });
  const level = fc.constantFrom<Level>(1, 'quorum', 'all');
  const some = fc.uniqueArray(fc.integer({ min: 1, max: 8 }));
  fc.assert(
    fc.property(
      fc.array(set, { minLength: 1, maxLength: 20 }),
      level,
      some,
      some,
      (sets, r, down, avoided) => {
        const isUp = (member: MemberId): boolean => member === 1 || !down.includes(member);
        const isAvoided = (member: MemberId): boolean => avoided.includes(member);
        const { asks } = planScan(sets.map(viewOf), { self: 1, level: r, withValues: true, isUp, isAvoided });
        for (const [partition, replicas] of sets.entries()) {
          const asked = [...asks].filter(([, list]) => list.some((each) => each.partition === partition));
          assert.equal(asked.length, needed(r, replicas.length));
          assert.ok(asked.every(([member]) => replicas.includes(member)));
          const full = asked.filter(([, list]) => list.find((each) => each.partition === partition)?.isFull);
          assert.equal(full.length, 1);
          if (asked.some(([member]) => member === 1)) assert.equal(full[0]?.[0], 1);
          // Who is up and well goes before who is not.
          const isWell = (member: MemberId): boolean => isUp(member) && !isAvoided(member);
          const well = replicas.filter(isWell).length;
          const askedWell = asked.filter(([member]) => isWell(member)).length;
          assert.equal(askedWell, Math.min(well, asked.length));
        }
      },
    ),
  );
});

test('planScan: few members where their sets overlap', () => {
  const sets = Array.from({ length: 12 }, (_, i) => [1 + (i % 3), 4 + (i % 3), 7 + (i % 3)]);
  const all = { self: 10, withValues: true, isUp: () => true, isAvoided: () => false };
  assert.equal(planScan(sets.map(viewOf), { ...all, level: 1 }).asks.size, 3);
  assert.equal(planScan(sets.map(viewOf), { ...all, level: 'quorum' }).asks.size, 6);
});
