import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../../io/settle.ts';
import { minimise } from './minimise.ts';
import { drawPlan } from './plan.ts';
import { runPlan } from './run.ts';

/** A few seeds; `./dev.sh sim` runs thousands. */
const SEEDS = 25;

test('whole nodes under faults keep their promises and converge', async (t) => {
  let events = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const verdict = await runPlan(drawPlan(seed), { settle });
    assert.equal(verdict.violation, undefined, `./dev.sh sim --seed ${seed}`);
    events += verdict.events;
  }
  t.diagnostic(`${SEEDS} seeds, ${events} events`);
});

test('a run is its seed: twice the same, with the trace written or not', async () => {
  for (const seed of [7, 8, 9]) {
    const first = await runPlan(drawPlan(seed), { settle });
    const lines: string[] = [];
    const second = await runPlan(drawPlan(seed), { settle, write: (line) => void lines.push(line) });
    assert.deepEqual(first, second);
    assert.ok(lines.length > 50);
    const other = await runPlan(drawPlan(seed + 10), { settle });
    assert.notEqual(first.digest, other.digest);
  }
});

test('a run that passes is not made shorter', async () => {
  const { changes, runs, verdict } = await minimise(3, {}, { settle });
  assert.deepEqual([changes, runs, verdict.result], [{}, 1, 'converged']);
});
