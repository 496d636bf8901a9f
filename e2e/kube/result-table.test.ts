import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultTable } from './result-table.ts';
import type { ScenarioResult } from './scenario.ts';

const PHASE = {
  ...{ name: '3 -> 5', seconds: 39.3, operations: 3929, errors: 0, retries: 2, codes: { SHUTTING_DOWN: 2 } },
  ...{ dropped: 0, reads: { p50: 4, p99: 322.14, max: 400 }, writes: { p50: 11.8, p99: 522.1, max: 600 } },
};
const LOAD = {
  ...{ ratePerSecond: 100, phases: [PHASE], acknowledged: 2000, unknown: 1 },
  ...{ keys: 300, keysAsAcknowledged: 299, problems: [] },
};
const RESULT: ScenarioResult = {
  name: 'scale',
  passed: false,
  seconds: 105.4,
  steps: [],
  loads: [LOAD, LOAD],
};

test('resultTable: loads of a scenario are one row, their phases one each', () => {
  const lines = resultTable([RESULT]).split('\n');
  assert.equal(lines[2], '| scale | FAILED | 105 | 4000 | 2 | 598 of 600 |');
  const phase = '| scale | 3 -> 5 | 39 | 3929 | 0 | 2 (2 SHUTTING_DOWN) | 0 | 4.0 | 322.1 | 11.8 | 522.1 |';
  assert.deepEqual(lines.filter((line) => line === phase).length, 2);
});

test('resultTable: a scenario without a load has no figures of one', () => {
  const text = resultTable([{ ...RESULT, name: 'smoke', passed: true, loads: [] }]);
  assert.match(text, /\| smoke \| passed \| 105 \| - \| - \| - \|/);
  assert.doesNotMatch(text, /phase/);
});
