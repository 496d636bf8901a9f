import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from './histogram.ts';
import { duration, loadFigures, loadReport, sparkline } from './load-report.ts';

function resultOf(reads: readonly number[]) {
  const histogram = new Histogram();
  for (const value of reads) histogram.record(value);
  return {
    elapsedMs: 2000,
    reads: histogram,
    writes: new Histogram(),
    failures: new Map([['status 503', 2]]),
    perSecond: [1, 3],
  };
}

test('loadReport shows throughput, percentiles, the spread and the failures', () => {
  assert.equal(
    loadReport(resultOf([80, 90, 120, 3000])),
    `2 requests a second over 2.0 s
each second  ▃█  most 3

get  4 requests  p50 90 us  p90 3 ms  p99 3 ms  p99.9 3 ms  max 3 ms
     < 100 us  50.0 % ${'█'.repeat(40)}
     < 250 us  25.0 % ${'█'.repeat(20)}
       < 5 ms  25.0 % ${'█'.repeat(20)}
failed: status 503, 2 times
`,
  );
});

test('loadFigures names every figure with its unit', () => {
  const figures = loadFigures(resultOf([80, 90, 120, 3000]));
  assert.deepEqual(figures.requests, { value: 2, unit: '1/s' });
  assert.deepEqual(figures.get_p50, { value: 90, unit: 'us' });
  assert.deepEqual(figures.failures, { value: 2, unit: '1' });
});

test('duration and sparkline', () => {
  assert.deepEqual([850, 1200, 250_000, 3_400_000].map(duration), ['850 us', '1.2 ms', '250 ms', '3.4 s']);
  assert.equal(sparkline([0, 4, 8]), '▁▅█');
});
