import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectSchema } from './crd.ts';
import { clusterSpec } from './kvcluster.ts';
import { RULES } from './rules.ts';
import { SPEC_EXAMPLES } from './spec-examples.ts';
import { structuralProblems } from './structural-problems.ts';
import { applyDefaults, type StructuralSchema } from './structural-schema.ts';

const specSchema = objectSchema().properties?.spec as StructuralSchema;

test('each rule of the specification has an example that it refuses', () => {
  for (const { path, message } of RULES) {
    if (path.length === 0) continue; // the name, which is no part of a specification
    const example = SPEC_EXAMPLES.find(({ refusal }) => refusal !== undefined && message.startsWith(refusal));
    assert.ok(example, `no example for: ${message}`);
  }
});

test('each refusal of an example is the message of exactly one rule', () => {
  for (const { name, refusal } of SPEC_EXAMPLES) {
    if (refusal === undefined) continue;
    assert.equal(RULES.filter(({ message }) => message.startsWith(refusal)).length, 1, name);
  }
});

test('examples have the right types, also those that a rule refuses: it is the rule that does', () => {
  for (const { name, spec, old } of SPEC_EXAMPLES) {
    for (const given of [spec, old ?? {}]) {
      assert.deepEqual(structuralProblems(specSchema, applyDefaults(specSchema, given)), [], name);
    }
  }
});

test('what the API server accepts of the examples parses', () => {
  for (const { name, spec, refusal } of SPEC_EXAMPLES) {
    if (refusal === undefined) assert.equal(clusterSpec.safeParse(spec).success, true, name);
  }
});

test('a message says what to do: it has a second sentence, and fits into one line', () => {
  for (const { message } of RULES) {
    assert.match(message, /\. [A-Z0-9][^\n]*\.$/);
    assert.ok(message.length <= 300, message);
  }
});
