import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Mutant } from '../../sim/raft/mutant.ts';
import { MUTANTS } from '../../sim/raft/mutants.ts';

/**
 * Shows that each regression test fails when the rule that it pins is taken out: the sources are copied, one rule
 * is edited away in the copy, and the test named by the mutant must fail there, by an assertion. The unchanged
 * tests run beside this file.
 */
const ROOT = new URL('../../../', import.meta.url).pathname;
const COPY = mkdtempSync(join(tmpdir(), 'kvorum-mutants-'));
const PARTS = ['package.json', 'store/core/prng', 'store/core/raft', 'store/sim/raft'];
for (const part of PARTS) cpSync(join(ROOT, part), join(COPY, part), { recursive: true });
after(() => rmSync(COPY, { recursive: true }));

const RAFT = join(COPY, 'store/core/raft');
const PINNED = /^test\('((?:R\d+|Thesis [\d.]+): .*)', /gm;
const TESTS = readdirSync(RAFT)
  .filter((name) => name.endsWith('.test.ts') && name !== 'mutants.test.ts')
  .flatMap((file) => {
    const text = readFileSync(join(RAFT, file), 'utf8');
    return [...text.matchAll(PINNED)].map((match) => ({
      file,
      name: (match[1] as string).replaceAll('\\u2019', '’'),
    }));
  });

test('every regression test has a mutant that it catches', () => {
  const pinned = TESTS.map(({ name }) => name).sort();
  assert.deepEqual([...new Set(MUTANTS.map((mutant) => mutant.caughtBy))].sort(), pinned);
  const ids = new Set(pinned.map((name) => name.split(':')[0]));
  for (let id = 1; id <= 28; id++) assert.ok(ids.has(`R${id}`), `R${id} has no test`);
});

for (const mutant of MUTANTS) {
  test(`without its rule, "${mutant.caughtBy}" fails: ${mutant.rule}`, () => {
    const found = TESTS.find(({ name }) => name === mutant.caughtBy);
    assert.ok(found !== undefined, 'no such test');
    const restore = apply(mutant);
    const output = runTest(join(RAFT, found.file), found.name);
    restore();
    assert.match(output, /AssertionError|RaftViolation|RaftInvariantError/);
    assert.match(output, /fail 1\n/);
  });
}

/** Edits the copy; the result undoes it. */
function apply({ edits }: Mutant): () => void {
  const originals = new Map<string, string>();
  for (const { file, from, to } of edits) {
    const path = join(RAFT, file);
    const text = readFileSync(path, 'utf8');
    if (!originals.has(path)) originals.set(path, text);
    assert.equal(text.split(from).length, 2, `${file} has "${from}" not exactly once`);
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
  }
  return () => originals.forEach((text, path) => void writeFileSync(path, text));
}

function runTest(path: string, name: string): string {
  const pattern = `^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = ['--test-reporter=spec', `--test-name-pattern=${pattern}`, path];
  const { stdout } = spawnSync(process.execPath, args, {
    env: { ...env, RAFT_SEEDS: '3000' },
    encoding: 'utf8',
  });
  return stdout;
}
