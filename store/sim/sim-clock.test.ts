import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimClock } from './sim-clock.ts';

test('SimClock fires timers at their times, equal ones in the order set', () => {
  const clock = new SimClock(1_000);
  const fired: string[] = [];
  clock.setTimer(20, () => fired.push(`late at ${clock.nowMs()}`));
  clock.setTimer(10, () => fired.push(`first at ${clock.nowMs()}`));
  clock.setTimer(10, () => fired.push(`second at ${clock.nowMs()}`));
  clock.advance(9);
  assert.deepEqual(fired, []);
  clock.advance(20);
  assert.deepEqual(fired, ['first at 1010', 'second at 1010', 'late at 1020']);
  assert.equal(clock.nowMs(), 1_029);
});

test('SimClock fires what a timer sets within the same advance', () => {
  const clock = new SimClock();
  const fired: number[] = [];
  const again = (): void => {
    fired.push(clock.monotonicMs());
    clock.setTimer(5, again);
  };
  clock.setTimer(5, again);
  clock.advance(16);
  assert.deepEqual(fired, [5, 10, 15]);
  assert.equal(clock.nextDueMs(), 20);
});

test('SimClock never fires a cancelled timer', () => {
  const clock = new SimClock();
  const timer = clock.setTimer(5, () => assert.fail('fired'));
  timer.cancel();
  assert.equal(clock.nextDueMs(), undefined);
  clock.advance(10);
  timer.cancel();
});

test('SimClock.setWall moves wall time either way and leaves monotonic time and timers alone', () => {
  const clock = new SimClock(5_000);
  clock.advance(100);
  clock.setWall(1_000);
  assert.equal(clock.nowMs(), 1_000);
  assert.equal(clock.monotonicMs(), 100);
  clock.advance(50);
  assert.equal(clock.nowMs(), 1_050);
  clock.setWall(9_000);
  assert.equal(clock.nowMs(), 9_000);
});
