import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { MUTANTS } from './mutants.ts';

const ROOT = new URL('../../../', import.meta.url);

test('every mutant fits the source that it breaks, and has a name of its own', () => {
  for (const { name, edits } of MUTANTS)
    for (const { file, from } of edits) {
      const source = readFileSync(new URL(file, ROOT), 'utf8');
      assert.equal(source.split(from).length, 2, `${name}: ${file} must have "${from}" exactly once`);
    }
  assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
});
