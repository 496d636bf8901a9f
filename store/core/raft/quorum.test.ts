import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isQuorum, quorumValue, voteResult } from './quorum.ts';
import type { Configuration, MemberId } from './types.ts';

/** The arithmetic of quorums beside a dumb version, which tries every set of members. */

const members = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });
const configurations = fc.record({
  voters: members,
  votersOutgoing: fc.oneof(fc.constant([] as MemberId[]), members),
  learners: fc.constant([] as MemberId[]),
});

/** By definition: more than half of each half. */
function isDumbQuorum({ voters, votersOutgoing }: Configuration, set: ReadonlySet<MemberId>): boolean {
  const halves = votersOutgoing.length === 0 ? [voters] : [voters, votersOutgoing];
  return halves.every((half) => half.filter((voter) => set.has(voter)).length > half.length / 2);
}

test('isQuorum is a majority of each half', () => {
  fc.assert(
    fc.property(configurations, fc.uniqueArray(fc.integer({ min: 1, max: 7 })), (configuration, array) => {
      const set = new Set(array);
      assert.equal(
        isQuorum(configuration, (member) => set.has(member)),
        isDumbQuorum(configuration, set),
      );
    }),
  );
});

test('quorumValue is the highest value that the members of a quorum have all reached', () => {
  const values = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(configurations, values, (configuration, reached) => {
      const holds = (value: number) => {
        const set = new Set(reached.flatMap((own, member) => (own >= value ? [member] : [])));
        return isDumbQuorum(configuration, set);
      };
      const dumb = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].find(holds);
      assert.equal(
        quorumValue(configuration, (member) => reached[member] as number),
        dumb,
      );
    }),
  );
});

test('voteResult is won with a quorum of yes, and lost when none can be reached any more', () => {
  const answers = fc.array(fc.constantFrom(true, false, undefined), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(configurations, answers, (configuration, given) => {
      const votes = new Map(
        given.flatMap((vote, member) => (vote === undefined ? [] : [[member, vote] as const])),
      );
      const setOf = (isIn: (vote: boolean | undefined) => boolean) =>
        new Set(given.flatMap((vote, member) => (isIn(vote) ? [member] : [])));
      const isWon = isDumbQuorum(
        configuration,
        setOf((vote) => vote === true),
      );
      const canBeWon = isDumbQuorum(
        configuration,
        setOf((vote) => vote !== false),
      );
      assert.equal(voteResult(configuration, votes), isWon ? 'won' : canBeWon ? 'pending' : 'lost');
    }),
  );
});

test('without voters nothing is decided', () => {
  const none = { voters: [], votersOutgoing: [], learners: [1] };
  assert.equal(
    quorumValue(none, () => 7),
    0,
  );
  assert.notEqual(voteResult(none, new Map([[1, true]])), 'won');
});
