import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LATENCY_SAMPLES_MAX, LatencyTracker } from './latency.ts';

test('LatencyTracker: the p95 of the last samples, within a quarter', () => {
  const sample = fc.double({ min: 0.3, max: 5000, noNaN: true });
  fc.assert(
    fc.property(fc.array(sample, { minLength: LATENCY_SAMPLES_MAX, maxLength: 400 }), (samples) => {
      const tracker = new LatencyTracker();
      const whole = samples.slice(0, samples.length - (samples.length % 16));
      for (const tookMs of whole) tracker.sample(1, tookMs);
      const recent = whole.slice(-LATENCY_SAMPLES_MAX).sort((a, b) => a - b);
      const exact = recent[Math.ceil(recent.length * 0.95) - 1] as number;
      const told = tracker.p95Ms(1);
      assert.ok(told >= exact * 0.999 && told <= exact * 1.26, `${told} for ${exact}`);
    }),
  );
});

test('LatencyTracker: nothing is known of a member that never answered', () => {
  assert.equal(new LatencyTracker().p95Ms(1), 0);
});
