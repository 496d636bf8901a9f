import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topologyOf } from '../core/moves/test-moves.ts';
import { MemberFacts } from './member-facts.ts';

const AFTER_MS = 1000;

/** Three members as one of them sees them, at a time that the test sets. */
class Bench {
  readonly state = topologyOf({ members: 3, set: [1, 2, 3] });
  readonly down = new Set<number>();
  isLeader = false;
  nowMs = 0;
  readonly facts = new MemberFacts({
    clock: {
      nowMs: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      setTimer: () => ({ cancel: () => {} }),
    },
    isLeader: () => this.isLeader,
    isUp: (member) => !this.down.has(member),
  });

  lostAt(nowMs: number): readonly number[] {
    this.nowMs = nowMs;
    this.facts.note(this.state);
    return [1, 2, 3].filter((member) => this.facts.downForMs(member) >= AFTER_MS);
  }
}

test('MemberFacts: it counts for how long a member is down without a break, on any node', () => {
  const bench = new Bench();
  bench.down.add(2);
  assert.deepEqual(bench.lostAt(0), []);
  assert.deepEqual(bench.lostAt(AFTER_MS - 1), []);
  assert.deepEqual(bench.lostAt(AFTER_MS), [2]);
  bench.down.clear();
  assert.deepEqual(bench.lostAt(AFTER_MS + 1), []);
  bench.down.add(2);
  assert.deepEqual(bench.lostAt(AFTER_MS + 2), [], 'it counts anew');
});

test('MemberFacts: a new leader counts from when it leads: what it noted while it was cut off moves no data', () => {
  const bench = new Bench();
  bench.down.add(2).add(3);
  bench.lostAt(0);
  assert.deepEqual(bench.lostAt(AFTER_MS), [2, 3]);
  bench.isLeader = true;
  assert.deepEqual(bench.lostAt(AFTER_MS + 1), []);
  assert.deepEqual(bench.lostAt(2 * AFTER_MS), []);
  assert.deepEqual(bench.lostAt(2 * AFTER_MS + 1), [2, 3]);
});

test('MemberFacts: a number that was retired is gone and not up, and has a name all the same', () => {
  const bench = new Bench();
  const { isReplaced, isUp, nameOf } = bench.facts.of(bench.state);
  assert.deepEqual([isReplaced(7), isUp(7), nameOf(7), nameOf(2)], [true, false, 'member-7', 'kvorum-2']);
});
