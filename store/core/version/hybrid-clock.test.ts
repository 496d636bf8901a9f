import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type HybridClock, nextCeiling, observe, raiseCeiling, stamp, startClock } from './hybrid-clock.ts';
import { COUNTER_MAX, compareVersions, type Version } from './version.ts';

const AHEAD_MS = 400;

function stampNow(
  clock: HybridClock,
  nowMs: number,
): { clock: HybridClock; version: Version; durableMs: number } {
  let current = clock;
  for (;;) {
    const result = stamp(current, nowMs);
    if (result.type === 'stamped') return { ...result, durableMs: result.clock.ceilingMs };
    current = raiseCeiling(current, nextCeiling(current, nowMs, AHEAD_MS));
  }
}

test('stamp follows the wall clock, and counts within a millisecond', () => {
  let clock = raiseCeiling(startClock(7, 0), 10_000);
  const first = stampNow(clock, 5000);
  assert.deepEqual(first.version, { wallMs: 5000, counter: 0, member: 7 });
  const second = stampNow(first.clock, 5000);
  assert.deepEqual(second.version, { wallMs: 5000, counter: 1, member: 7 });
  clock = { ...second.clock, lastCounter: COUNTER_MAX };
  assert.deepEqual(stampNow(clock, 5000).version, { wallMs: 5001, counter: 0, member: 7 });
});

test('stamp gives nothing at or above the durable bound', () => {
  const clock = raiseCeiling(startClock(1, 0), 1000);
  assert.equal(stamp(clock, 999).type, 'stamped');
  assert.deepEqual(stamp(clock, 1000), { type: 'ceiling-reached', neededMs: 1000 });
});

test('D4: no stamp is given twice or goes back, through restarts and a wall clock that jumps', () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('stamp' as const), nowMs: fc.integer({ min: 0, max: 5000 }) }),
    fc.record({ type: fc.constant('restart' as const), nowMs: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let clock = startClock(1, 0);
      let durableMs = 0;
      let last: Version | undefined;
      for (const { type, nowMs } of steps) {
        if (type === 'restart') {
          clock = startClock(1, durableMs);
          continue;
        }
        const next = stampNow(clock, nowMs);
        if (last !== undefined) assert.ok(compareVersions(next.version, last) > 0);
        last = next.version;
        clock = next.clock;
        durableMs = next.durableMs;
      }
    }),
    { numRuns: 1000 },
  );
});

test('observe puts later stamps above what was seen', () => {
  const clock = raiseCeiling(startClock(1, 0), 1_000_000);
  const seen: Version = { wallMs: 9000, counter: 3, member: 9 };
  const after = stampNow(observe(clock, seen), 100);
  assert.ok(compareVersions(after.version, seen) > 0);
  const older = observe(after.clock, { wallMs: 1, counter: 1, member: 1 });
  assert.equal(older, after.clock, 'an older version changes nothing');
});

test('a clock that is set back never lowers the bound that is durable', () => {
  const clock = raiseCeiling(startClock(1, 1_000), 5_000);
  assert.equal(nextCeiling(clock, 100, 400), 5_000);
  assert.equal(nextCeiling(clock, 4_900, 400), 5_300);
});
