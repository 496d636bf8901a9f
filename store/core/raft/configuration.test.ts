import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Change,
  configurationOf,
  enterChange,
  isJoint,
  leaveJoint,
  membersOf,
} from './configuration.ts';
import { isQuorum } from './quorum.ts';
import type { Configuration } from './types.ts';

const changes = fc.uniqueArray(
  fc.record({
    type: fc.constantFrom('add-learner', 'promote', 'demote', 'remove'),
    member: fc.integer({ min: 1, max: 8 }),
  }) as fc.Arbitrary<Change>,
  { selector: (change) => change.member, minLength: 1, maxLength: 6 },
);

/** Whether some quorum of `a` shares no member with some quorum of `b`. */
function areDisjoint(a: Configuration, b: Configuration): boolean {
  const members = [...new Set([...membersOf(a), ...membersOf(b)])];
  return Array.from({ length: 2 ** members.length }, (_, bits) => bits).some((bits) => {
    const isInside = (member: number) => ((bits >> members.indexOf(member)) & 1) === 1;
    return isQuorum(a, isInside) && isQuorum(b, (member) => !isInside(member));
  });
}

test('enterChange and leaveJoint never lead to disjoint quorums', () => {
  const start = configurationOf([1, 2, 3, 4], [5, 6, 7]);
  fc.assert(
    fc.property(changes, (wanted) => {
      const result = enterChange(start, wanted);
      if (result.type === 'invalid') return;
      assert.ok(!areDisjoint(start, result.configuration));
      assert.ok(!areDisjoint(result.configuration, leaveJoint(result.configuration)));
    }),
    { numRuns: 200 },
  );
});

test('enterChange takes the direct way for one voter, the joint way for several', () => {
  const start = configurationOf([1, 2, 3], [4]);
  const enter = (...wanted: Change[]) => {
    const result = enterChange(start, wanted);
    assert.ok(result.type === 'changed');
    return result.configuration;
  };
  assert.deepEqual(enter({ type: 'promote', member: 4 }), configurationOf([1, 2, 3, 4]));
  assert.deepEqual(enter({ type: 'demote', member: 1 }), configurationOf([2, 3], [1, 4]));
  const swap = enter({ type: 'promote', member: 4 }, { type: 'remove', member: 1 });
  assert.ok(isJoint(swap));
  assert.deepEqual(leaveJoint(swap), configurationOf([2, 3, 4]));
});

test('enterChange refuses what makes no sense, and says why', () => {
  const start = configurationOf([1], [4]);
  const refusals: [Change[], RegExp][] = [
    [[], /no change/],
    [[{ type: 'add-learner', member: 1 }], /member already/],
    [[{ type: 'add-learner', member: 0 }], /no valid number/],
    [[{ type: 'promote', member: 9 }], /no learner/],
    [[{ type: 'demote', member: 4 }], /no voter/],
    [[{ type: 'remove', member: 9 }], /no member/],
    [[{ type: 'remove', member: 1 }], /no voter would remain/],
    [
      [
        { type: 'promote', member: 4 },
        { type: 'remove', member: 4 },
      ],
      /named twice/,
    ],
  ];
  for (const [wanted, reason] of refusals) {
    const result = enterChange(start, wanted);
    assert.ok(result.type === 'invalid');
    assert.match(result.detail, reason);
  }
  const joint = { ...start, votersOutgoing: [1, 2] };
  assert.equal(enterChange(joint, [{ type: 'promote', member: 4 }]).type, 'invalid');
});
