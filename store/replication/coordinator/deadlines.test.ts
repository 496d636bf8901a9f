import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SimClock } from '../../sim/sim-clock.ts';
import { Deadlines } from './deadlines.ts';

test('Deadlines: each is called once, at its millisecond, in order of time, unless it was cancelled', () => {
  const one = fc.record({
    atMs: fc.integer({ min: 0, max: 60 }),
    cancelledAtMs: fc.option(fc.integer({ min: 0, max: 60 })),
    nestedMs: fc.option(fc.integer({ min: 0, max: 30 })),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 30 }), (wanted) => {
      const clock = new SimClock();
      const deadlines = new Deadlines(clock);
      const expected: number[] = [];
      const called: number[] = [];
      for (const { atMs, cancelledAtMs, nestedMs } of wanted) {
        const isCancelled = cancelledAtMs !== null && cancelledAtMs < atMs;
        if (!isCancelled) expected.push(atMs);
        if (!isCancelled && nestedMs !== null) expected.push(atMs + nestedMs);
        const deadline = deadlines.set(atMs, () => {
          called.push(clock.monotonicMs());
          if (nestedMs !== null) deadlines.set(atMs + nestedMs, () => called.push(clock.monotonicMs()));
        });
        if (isCancelled) clock.setTimer(cancelledAtMs, () => deadline.cancel());
      }
      clock.advance(100);
      assert.deepEqual(
        called,
        expected.sort((a, b) => a - b),
      );
      assert.equal(deadlines.size, 0);
      assert.equal(clock.nextDueMs(), undefined, 'no timer is left');
    }),
  );
});

test('Deadlines.stop: nothing is called any more', () => {
  const clock = new SimClock();
  const deadlines = new Deadlines(clock);
  const fail = () => assert.fail('called');
  deadlines.set(5, fail);
  deadlines.stop();
  deadlines.set(6, fail);
  clock.advance(10);
});
