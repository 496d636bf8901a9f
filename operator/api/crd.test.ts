import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SETTING_NAMES } from '../../store/config/settings.ts';
import { objectSchema } from './crd.ts';
import { clusterSpec } from './kvcluster.ts';
import { CONDITION_TYPES, clusterStatus } from './kvcluster-status.ts';
import { structuralProblems } from './structural-problems.ts';
import { applyDefaults, type StructuralSchema } from './structural-schema.ts';

const schema = objectSchema();
const property = (name: string): StructuralSchema => schema.properties?.[name] as StructuralSchema;

/** A value near what the schema accepts: of the type, mostly within the limits, sometimes not. */
function near(of: StructuralSchema): fc.Arbitrary<unknown> {
  if (of.enum !== undefined)
    return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...of.enum) }, fc.string());
  if (of['x-kubernetes-int-or-string'] === true) return fc.oneof(fc.integer(), text(of), text(of));
  switch (of.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
    case 'number':
      return number(of);
    case 'string':
      return text(of);
    case 'array':
      return fc.array(near(of.items as StructuralSchema), { maxLength: 3 });
    default:
      return object(of);
  }
}

function number({ minimum = 0, maximum = 1_000_000 }: StructuralSchema): fc.Arbitrary<unknown> {
  const edges = fc.constantFrom(minimum, maximum, minimum - 1, maximum + 1, minimum + 0.5);
  return fc.oneof({ weight: 8, arbitrary: fc.integer({ min: minimum, max: maximum }) }, edges);
}

function text({ pattern }: StructuralSchema): fc.Arbitrary<string> {
  const matching = pattern === undefined ? fc.string() : fc.stringMatching(new RegExp(pattern));
  return fc.oneof({ weight: 12, arbitrary: matching }, fc.string());
}

function object(of: StructuralSchema): fc.Arbitrary<unknown> {
  if (of.additionalProperties !== undefined) {
    return fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), near(of.additionalProperties), { maxKeys: 3 });
  }
  const fields = Object.entries(of.properties ?? {}).map(([name, inner]) => [name, near(inner)] as const);
  const required = (of.required ?? []) as string[];
  return fc.record(Object.fromEntries(fields), { requiredKeys: required }).chain((whole) => {
    const names = Object.keys(whole);
    const some = fc.subarray(names, { maxLength: Math.min(3, names.length) });
    return some.map((kept) => pick(whole, [...kept, ...required]));
  });
}

const pick = (whole: Record<string, unknown>, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(whole).filter(([name]) => names.includes(name)));

test('what zod accepts of a specification the OpenAPI schema accepts', () => {
  let accepted = 0;
  fc.assert(
    fc.property(near(property('spec')), (given) => {
      if (!clusterSpec.safeParse(given).success) return;
      accepted += 1;
      assert.deepEqual(structuralProblems(property('spec'), applyDefaults(property('spec'), given)), []);
    }),
    { numRuns: 2000 },
  );
  assert.ok(accepted > 200, `only ${accepted} of 2000 were accepted: the test has become weak`);
});

test('defaults of zod and of the OpenAPI schema are the same', () => {
  fc.assert(
    fc.property(near(property('spec')), (given) => {
      const parsed = clusterSpec.safeParse(given);
      if (parsed.success) assert.deepEqual(applyDefaults(property('spec'), given), parsed.data);
    }),
    { numRuns: 1000 },
  );
});

test('what zod accepts of a status the OpenAPI schema accepts', () => {
  fc.assert(
    fc.property(near(property('status')), (given) => {
      if (clusterStatus.safeParse(given).success)
        assert.deepEqual(structuralProblems(property('status'), given), []);
    }),
    { numRuns: 1000 },
  );
});

test('the schema is structural, and its patterns are those of RE2 as well', () => {
  const visit = (of: StructuralSchema): void => {
    structuralProblems(of, undefined); // throws at what is not structural
    assert.doesNotMatch(of.pattern ?? '', /\(\?[=!<]|\\[1-9]/);
    assert.ok(of.properties === undefined || of.additionalProperties === undefined);
    for (const inner of Object.values(of.properties ?? {})) visit(inner);
    if (of.items !== undefined) visit(of.items);
    if (of.additionalProperties !== undefined) visit(of.additionalProperties);
  };
  visit(schema);
});

test('conditions are a map by type: two writers do not undo each other', () => {
  const conditions = property('status').properties?.conditions;
  assert.equal(conditions?.['x-kubernetes-list-type'], 'map');
  assert.deepEqual(conditions?.['x-kubernetes-list-map-keys'], ['type']);
  assert.ok(new Set(CONDITION_TYPES).size === CONDITION_TYPES.length);
});

test('spec.config has each setting of the store', () => {
  const config = property('spec').properties?.config;
  assert.deepEqual(Object.keys(config?.properties ?? {}), SETTING_NAMES);
});
