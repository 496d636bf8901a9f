import type { StructuralSchema } from './structural-schema.ts';

/**
 * What an API server says to `value` by a structural schema, without its CEL rules: paths with what is wrong, none where all is
 * well. It knows the keywords that the schemas of this project use, and throws at any other, so that none is passed over.
 */
export function structuralProblems(schema: StructuralSchema, value: unknown, path = ''): readonly string[] {
  assertKnown(schema, path);
  const wrong = (what: string): string => `${path === '' ? '.' : path}: ${what}`;
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (Number.isInteger(value)) return [];
    return typeof value === 'string'
      ? stringProblems(schema, value).map(wrong)
      : [wrong('not an integer or text')];
  }
  if (typeOf(value, schema.type) !== schema.type) return [wrong(`not of type ${schema.type}`)];
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return [wrong(`not one of ${schema.enum.join(', ')}`)];
  if (typeof value === 'string') return stringProblems(schema, value).map(wrong);
  if (typeof value === 'number') return numberProblems(schema, value).map(wrong);
  if (Array.isArray(value)) return arrayProblems(schema, value, path);
  if (typeof value === 'object') return objectProblems(schema, value as Record<string, unknown>, path);
  return [];
}

const KNOWN = new Set([
  ...['type', 'description', 'default', 'enum', 'format', 'pattern', 'minimum', 'maximum', 'minLength'],
  ...['maxLength', 'minItems', 'maxItems', 'required', 'properties', 'additionalProperties', 'items'],
  ...['x-kubernetes-validations', 'x-kubernetes-int-or-string', 'x-kubernetes-preserve-unknown-fields'],
  ...['x-kubernetes-list-type', 'x-kubernetes-list-map-keys'],
]);

function assertKnown(schema: StructuralSchema, path: string): void {
  const unknown = Object.keys(schema).find((keyword) => !KNOWN.has(keyword));
  if (unknown !== undefined) throw new Error(`${path}: a structural schema has no ${unknown}`);
  if (schema.type === undefined && schema['x-kubernetes-int-or-string'] !== true) {
    throw new Error(`${path}: a structural schema needs a type`);
  }
}

function typeOf(value: unknown, wanted: StructuralSchema['type']): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  if (wanted === 'integer' && Number.isInteger(value)) return 'integer';
  return typeof value;
}

function stringProblems(
  { pattern, minLength = 0, maxLength = Infinity }: StructuralSchema,
  value: string,
): string[] {
  const length = [...value].length;
  return [
    ...(length < minLength ? [`shorter than ${minLength}`] : []),
    ...(length > maxLength ? [`longer than ${maxLength}`] : []),
    ...(pattern !== undefined && !new RegExp(pattern, 'u').test(value) ? [`does not match ${pattern}`] : []),
  ];
}

function numberProblems(
  { minimum = -Infinity, maximum = Infinity }: StructuralSchema,
  value: number,
): string[] {
  return value < minimum || value > maximum ? [`not from ${minimum} to ${maximum}`] : [];
}

function arrayProblems(schema: StructuralSchema, value: readonly unknown[], path: string): readonly string[] {
  const { minItems = 0, maxItems = Infinity, items } = schema;
  const length =
    value.length < minItems || value.length > maxItems
      ? [`${path}: not ${minItems} to ${maxItems} items`]
      : [];
  if (items === undefined) throw new Error(`${path}: a structural array needs items`);
  return [...length, ...value.flatMap((each, index) => structuralProblems(items, each, `${path}[${index}]`))];
}

/** Unknown fields are no problem: the API server prunes them. */
function objectProblems(
  schema: StructuralSchema,
  value: Record<string, unknown>,
  path: string,
): readonly string[] {
  const missing = (schema.required ?? []).filter((name) => value[name] === undefined);
  const inner = Object.entries(value).flatMap(([name, each]) => {
    const its = schema.properties?.[name] ?? schema.additionalProperties;
    return its === undefined || each === undefined ? [] : structuralProblems(its, each, `${path}.${name}`);
  });
  return [...missing.map((name) => `${path}.${name}: required`), ...inner];
}
