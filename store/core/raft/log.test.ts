import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { command, position } from '../../sim/raft/solo.ts';
import { NO_SNAPSHOT, RaftLog } from './log.ts';
import { RaftInvariantError, toIndex, toTerm } from './types.ts';

/** Logs of random terms, which rise along a log as in life, and share a beginning. */
const risingTerms = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 12 });
const pairs = fc.record({ shared: risingTerms, left: risingTerms, right: risingTerms });

function logOf(steps: readonly number[]): RaftLog {
  let term = 1;
  const entries = steps.map((step, i) => {
    term += step;
    return command(i + 1, term);
  });
  const hardState = { term: toTerm(term), vote: undefined, commit: toIndex(0) };
  return new RaftLog({ hardState, snapshot: NO_SNAPSHOT, entries, applied: toIndex(0) });
}

/** The dumb version: the last index up to which all terms are equal. */
function commonPrefix(a: RaftLog, b: RaftLog): number {
  let index = 0;
  while (
    a.termAt(toIndex(index + 1)) !== undefined &&
    a.has(position(index + 1, b.termAt(toIndex(index + 1)) ?? 0))
  ) {
    index++;
  }
  return index;
}

test('agreementBelow leads to the common beginning, one exchange per differing term at most', () => {
  fc.assert(
    fc.property(pairs, ({ shared, left, right }) => {
      const leader = logOf([...shared, 1, ...left]);
      const follower = logOf([...shared, 2, ...right]);
      const terms = new Set([...left, ...right].keys()).size + 2;
      let previous = leader.last;
      let exchanges = 0;
      while (!follower.has(previous)) {
        const hint = follower.agreementBelow(previous);
        const next = Math.min(leader.agreementBelow(hint).index, previous.index - 1);
        previous = position(next, leader.termAt(toIndex(next)) as number);
        exchanges++;
      }
      // Entries of equal term at one index are equal in life; here they may differ behind the shared beginning.
      assert.ok(previous.index >= commonPrefix(leader, follower));
      assert.ok(exchanges <= terms, `${exchanges} exchanges`);
    }),
  );
});

test('slice ends at about the bytes wanted, but gives one entry at least', () => {
  const log = logOf([0, 0, 0, 0]);
  assert.equal(log.slice(toIndex(1), 0).length, 1);
  assert.equal(log.slice(toIndex(1), 40).length, 2);
  assert.equal(log.slice(toIndex(2), 1000).length, 3);
  assert.equal(log.slice(toIndex(2), 1000, toIndex(3)).length, 2);
});

test('merge takes what is missing, keeps what is there, and drops what conflicts', () => {
  const log = logOf([0, 0, 0]);
  log.merge(position(1, 1), [command(2, 1)]);
  assert.equal(log.last.index, 3);
  assert.equal(log.stable, 3);
  log.merge(position(1, 1), [command(2, 1), command(3, 2), command(4, 2)]);
  assert.deepEqual(log.last, command(4, 2));
  assert.equal(log.stable, 2);
  assert.deepEqual(
    log.unstable().map(({ index }) => index),
    [3, 4],
  );
});

test('append never replaces what is committed, and leaves no gap', () => {
  const log = logOf([0, 0, 0]);
  log.commitTo(toIndex(2));
  assert.throws(() => log.append([command(2, 2)]), RaftInvariantError);
  assert.throws(() => log.append([command(5, 2)]), RaftInvariantError);
  assert.throws(() => log.restore({ ...NO_SNAPSHOT, ...position(2, 1) }), RaftInvariantError);
  assert.throws(() => log.appliedTo(toIndex(3)), RaftInvariantError);
});

test('stableTo ignores what was written before the log changed there', () => {
  const log = logOf([0, 0]);
  log.merge(position(2, 1), [command(3, 1)]);
  log.merge(position(2, 1), [command(3, 2)]);
  log.stableTo(position(3, 1));
  assert.equal(log.stable, 2);
  log.stableTo(position(3, 2));
  assert.equal(log.stable, 3);
});

test('compact keeps the entries that were asked for, and a restart keeps them too', () => {
  const log = logOf([0, 0, 0, 0, 0]);
  log.commitTo(toIndex(5));
  log.appliedTo(toIndex(5));
  const snapshot = log.describe(toIndex(4), new Uint8Array(0));
  log.compact(snapshot, 2);
  assert.equal(log.first, 3);
  const entries = [2, 3, 4, 5].map((index) => command(index, 1));
  const hardState = { term: toTerm(1), vote: undefined, commit: toIndex(5) };
  const restarted = new RaftLog({ hardState, snapshot, entries, applied: snapshot.index });
  assert.equal(restarted.first, 3);
  assert.equal(restarted.termAt(toIndex(2)), 1);
  assert.equal(restarted.termAt(toIndex(1)), undefined);
});
