import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BulkRateOptions, nextBulkRate } from './bulk-rate.ts';
import { LatencyWindow } from './latency-window.ts';

const MIB = 2 ** 20;
const OPTIONS: BulkRateOptions = { targetMs: 50, bytesPerSecondMin: MIB, bytesPerSecondMax: 64 * MIB };

/** The rate after some periods, where `p99Of` says what clients see at a rate. */
function settled(p99Of: (bytesPerSecond: number) => number | undefined, periods: number): readonly number[] {
  const rates = [OPTIONS.bytesPerSecondMax];
  for (let i = 0; i < periods; i++) {
    const rate = rates.at(-1) as number;
    rates.push(nextBulkRate(OPTIONS, rate, p99Of(rate)));
  }
  return rates;
}

test('where nobody asks anything it is the limit', () => {
  assert.equal(nextBulkRate(OPTIONS, MIB, undefined), 64 * MIB);
});

test('clients that are slow without the bulk leave it at the floor, never at nothing', () => {
  assert.equal(settled(() => 500, 20).at(-1), MIB);
});

test('it swings about the rate at which the p99 is at its target', () => {
  const rates = settled((rate) => (50 * rate) / (20 * MIB), 200).slice(50);
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length / MIB;
  assert.ok(mean > 12 && mean < 22, `${mean} MiB/s`);
});

test('a p99 that tells of the rate a second and a half late does not let it run away', () => {
  const LATE_PERIODS = 3;
  const rates = [4 * MIB];
  for (let i = 0; i < 200; i++) {
    const seen = rates[Math.max(0, i - LATE_PERIODS)] as number;
    rates.push(nextBulkRate(OPTIONS, rates[i] as number, (50 * seen) / (4 * MIB)));
  }
  const greatest = Math.max(...rates) / MIB;
  assert.ok(greatest < 16, `${greatest} MiB/s, where 4 are the target`);
});

test('it comes back to the limit within seconds', () => {
  const rates = settled(() => 500, 20);
  let rate = rates.at(-1) as number;
  for (let i = 0; i < 20; i++) rate = nextBulkRate(OPTIONS, rate, 1);
  assert.equal(rate, 64 * MIB);
});

test('it stays between floor and limit, also where the floor is above the limit', () => {
  const rates = fc.integer({ min: 1, max: 1000 });
  fc.assert(
    fc.property(rates, rates, rates, fc.option(rates, { nil: undefined }), (min, max, now, p99Ms) => {
      const options = { targetMs: 50, bytesPerSecondMin: min, bytesPerSecondMax: max };
      const next = nextBulkRate(options, Math.min(now, max), p99Ms);
      assert.ok(next <= max && next >= Math.min(min, max));
    }),
  );
});

test('the p99 of a window is that of its samples, at most a quarter too high, and is forgotten', () => {
  const latencies = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 20, maxLength: 300 });
  fc.assert(
    fc.property(latencies, (given) => {
      const window = new LatencyWindow();
      for (const each of given) window.add(10_000, each);
      const sorted = given.toSorted((a, b) => a - b);
      const exact = sorted[sorted.length - 1 - Math.floor(sorted.length / 100)] as number;
      const told = window.p99Ms(10_999) as number;
      assert.ok(told >= exact * 0.999 && told <= exact * 1.251, `${told} for ${exact}`);
      assert.equal(window.p99Ms(13_000), undefined);
    }),
  );
});

test('few samples are no p99', () => {
  const window = new LatencyWindow();
  for (let i = 0; i < 19; i++) window.add(1000, 5);
  assert.equal(window.p99Ms(1000), undefined);
  window.add(2500, 5);
  assert.notEqual(window.p99Ms(2500), undefined, 'the turn before counts too');
});
