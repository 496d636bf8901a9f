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

test('Deadlines.stop: what is open is called at once, and so is what is set later, unless it was cancelled', async () => {
  const clock = new SimClock();
  const deadlines = new Deadlines(clock);
  const called: string[] = [];
  deadlines.set(5, () => called.push('open'));
  deadlines.set(5, () => called.push('cancelled')).cancel();
  deadlines.stop();
  assert.deepEqual(called, ['open']);
  deadlines.set(6, () => called.push('later'));
  deadlines.set(6, () => called.push('later and cancelled')).cancel();
  assert.deepEqual(called, ['open'], 'not in the turn of the call');
  await undefined;
  clock.advance(10);
  assert.deepEqual(called, ['open', 'later']);
  assert.equal(clock.nextDueMs(), undefined, 'no timer is left');
});
