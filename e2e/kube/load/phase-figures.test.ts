import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadLine } from './load-lines.ts';
import { phaseFigures } from './phase-figures.ts';

const mark = { name: 'p', fromMs: 1000, toMs: 3000, dropped: 7 };

function line(t: number, ms: number, more: Partial<LoadLine> = {}): LoadLine {
  return { t, op: 'get', key: 'k', n: 0, ms, outcome: 'answered', codes: [], ...more };
}

test('phaseFigures: what began in the phase, and nothing of its neighbours', () => {
  const { operations, seconds, dropped } = phaseFigures(mark, [
    line(999, 1),
    line(1000, 1),
    line(2999, 1),
    line(3000, 1),
  ]);
  assert.deepEqual([operations, seconds, dropped], [2, 2, 7]);
});

test('phaseFigures: a last attempt that failed is the error, those before it are retries', () => {
  const figures = phaseFigures(mark, [
    line(1500, 5, { codes: ['SHUTTING_DOWN'] }),
    line(1500, 9, { op: 'put', outcome: 'unknown', codes: ['OVERLOADED', 'QUORUM_NOT_MET'] }),
  ]);
  assert.deepEqual([figures.errors, figures.retries], [1, 2]);
  assert.deepEqual(figures.codes, { SHUTTING_DOWN: 1, OVERLOADED: 1, QUORUM_NOT_MET: 1 });
});

test('phaseFigures: percentiles by the nearest rank, of reads and writes apart, failures included', () => {
  const reads = Array.from({ length: 100 }, (_, i) => line(1500, i + 1));
  const { reads: of, writes } = phaseFigures(mark, [
    ...reads,
    line(1500, 900, { op: 'put', outcome: 'unknown', codes: ['CONNECTION_1211'] }),
  ]);
  assert.deepEqual(of, { p50: 50, p99: 99, max: 100 });
  assert.equal(writes.p99, 900);
});
