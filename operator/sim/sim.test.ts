import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { OPERATOR_MUTANTS } from './mutants.ts';
import { runSeed } from './run.ts';

/** The long form: `./dev.sh sim --operator`. */
const SEEDS = Number(process.env.TEST_OPERATOR_SEEDS ?? 4);
const FIRST = Number(process.env.TEST_OPERATOR_FIRST ?? 1);
const TRACE_LINES = 60;
const ROOT = new URL('../../', import.meta.url);

test('under faults, deaths and changes of mind nothing is lost, and it comes to what is wished', async () => {
  let deaths = 0;
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const { violation, trace, ...run } = await runSeed(seed);
    deaths += run.deaths;
    if (violation === undefined) continue;
    const story = trace.slice(-TRACE_LINES).join('\n');
    const replay = `replay: ./dev.sh sim --operator --seed ${seed}`;
    assert.fail(`seed ${seed}: ${violation.check}: ${violation.message}\n${story}\n${replay}`);
  }
  assert.ok(deaths > 0, 'nobody died');
});

test('the same seed is the same story', async () => {
  const first = await runSeed(FIRST);
  const again = await runSeed(FIRST);
  assert.equal(again.digest, first.digest);
  assert.ok(first.calls > 1000, `${first.calls} calls`);
  assert.notEqual((await runSeed(FIRST + 1)).digest, first.digest);
});

test('every mutant fits the source that it breaks, and has a name of its own', () => {
  for (const { name, edits } of OPERATOR_MUTANTS)
    for (const { file, from } of edits) {
      const source = readFileSync(new URL(file, ROOT), 'utf8');
      assert.equal(source.split(from).length, 2, `${name}: ${file} must have "${from}" exactly once`);
    }
  assert.equal(new Set(OPERATOR_MUTANTS.map(({ name }) => name)).size, OPERATOR_MUTANTS.length);
});
