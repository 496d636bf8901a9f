import { z } from 'zod';

/**
 * The structural schema of Kubernetes: OpenAPI 3.0 with less. https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/
 * has what is allowed; there is neither propertyNames nor a union, and what is not declared is pruned.
 */
export type StructuralSchema = {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly items?: StructuralSchema;
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[];
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
};

/** Of a zod schema, as what comes in: fields with a default are optional, and have it. */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    override: ({ jsonSchema }) => restrict(jsonSchema as Record<string, unknown>),
  });
  const { $schema: _schema, '~standard': _standard, ...rest } = json as Record<string, unknown>;
  return withFullDefaults(rest as StructuralSchema);
}

/**
 * The API server judges a default by the rules before it has filled in the defaults within it: each has to be whole.
 */
function withFullDefaults(schema: StructuralSchema): StructuralSchema {
  const properties = mapValues(schema.properties ?? {}, withFullDefaults);
  return {
    ...schema,
    ...(schema.default === undefined ? {} : { default: applyDefaults(schema, schema.default) }),
    ...(schema.properties === undefined ? {} : { properties }),
  };
}

/** `value` with every default of `schema` in its place, as the API server stores it. */
export function applyDefaults(schema: StructuralSchema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => applyDefaults(schema.items ?? {}, each));
  if (typeof value !== 'object' || value === null) return value;
  const given = value as Readonly<Record<string, unknown>>;
  const filled: Record<string, unknown> = { ...given };
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const present = given[name] ?? inner.default;
    if (present !== undefined) filled[name] = applyDefaults(inner, present);
  }
  return filled;
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

/** Takes out of one schema, in place, what Kubernetes does not know. */
function restrict(schema: Record<string, unknown>): void {
  if (schema['x-kubernetes-int-or-string'] === true) delete schema.anyOf;
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) {
    schema.type = 'object';
    delete schema.additionalProperties;
  }
  delete schema.propertyNames; // names of labels: checked by the API server in the objects that they get into
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
}
