import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MUTANTS } from '../../store/sim/mutants/mutants.ts';
import { passes } from './test-mutant.ts';

for (const { name, rule, test: file } of MUTANTS.filter((mutant) => mutant.test !== undefined))
  test(`${name} is noticed by ${file}: ${rule}`, () => {
    assert.ok(file !== undefined && passes(file), 'it passes as long as the rule is there');
    assert.equal(passes(file, name), false);
  });
