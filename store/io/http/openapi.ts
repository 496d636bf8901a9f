import { z } from 'zod';
import { type ErrorCode, errorEntry } from './error-table.ts';
import type { HttpOptions } from './http-options.ts';
import { DNS_LABEL } from './request-target.ts';
import type { Answer, Operation, Route } from './route.ts';
import { answerSchemas, type HttpSchemas } from './schemas.ts';

type Json = Record<string, unknown>;

/** Can happen to any request, whatever its route. */
const COMMON_ERRORS: readonly ErrorCode[] = [
  'BAD_REQUEST',
  'METHOD_NOT_ALLOWED',
  'REQUEST_TIMEOUT',
  'EXPECTATION_FAILED',
  'HEADERS_TOO_LARGE',
  'INTERNAL',
];

const ACCESS_ERRORS: readonly ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN'];

const TOKEN_SCHEME = {
  type: 'http',
  scheme: 'bearer',
  description: 'Where the node has http.tokensFile. `x-kvorum-role` says what a token must allow.',
};

/** Without any of their fields these ask for nothing. */
const REQUIRED_BODIES: ReadonlySet<keyof HttpSchemas> = new Set(['batchBody', 'memberBody', 'operationBody']);

/** The OpenAPI 3.1 document of `routes`, from the schemas that validate. */
export function openApiDocument(
  routes: readonly Route[],
  schemas: HttpSchemas,
  options: HttpOptions,
  { areTokensNeeded }: { readonly areTokensNeeded: boolean } = { areTokensNeeded: false },
): Json {
  const paths = routes.map((route) => [route.template, pathItem(route, schemas, options)]);
  return {
    openapi: '3.1.0',
    info: { title: 'Kvorum', version: '1', description: 'A key-value store. See docs/http-api.md.' },
    paths: Object.fromEntries(paths),
    // Without tokens an empty requirement stands beside the scheme: it is optional then.
    security: areTokensNeeded ? [{ token: [] }] : [{ token: [] }, {}],
    components: {
      securitySchemes: { token: TOKEN_SCHEME },
      schemas: mapValues(answerSchemas, (schema) => jsonSchema(schema, 'input')),
    },
  };
}

function pathItem(route: Route, schemas: HttpSchemas, options: HttpOptions): Json {
  const names = Array.from(route.template.matchAll(/\{(\w+)\}/g), (match) => match[1] as string);
  const operations = Object.entries(route.operations).map(([method, operation]) => [
    method.toLowerCase(),
    operationObject(operation, schemas),
  ]);
  return { parameters: names.map((name) => pathParameter(name, options)), ...Object.fromEntries(operations) };
}

function pathParameter(name: string, options: HttpOptions): Json {
  const { description, schema, example } = parameterText(name, options);
  return { name, in: 'path', required: true, description, schema, example };
}

function parameterText(name: string, options: HttpOptions) {
  switch (name) {
    case 'key': {
      const schema = { type: 'string', minLength: 1, maxLength: options.keyBytesMax };
      return { description: 'Percent-encoded bytes; a slash belongs to the key.', schema, example: 'a/b' };
    }
    case 'id':
      return {
        description: 'Of GET /v1/operations.',
        schema: { type: 'string', pattern: '^[a-z0-9-]+$', examples: ['drain-17'] },
        example: 'drain-17',
      };
    default: {
      const schema = { type: 'string', pattern: DNS_LABEL.source, examples: ['default'] };
      return { description: 'A DNS label.', schema, example: 'default' };
    }
  }
}

function operationObject(operation: Operation, schemas: HttpSchemas): Json {
  const { summary, needs, query, headers = {}, body } = operation;
  const parameters = [
    ...(query === undefined ? [] : queryParameters(schemas[query])),
    ...Object.entries(headers).map(([name, description]) => ({
      name,
      in: 'header',
      description,
      schema: { type: 'string' },
    })),
  ];
  return {
    summary,
    ...(needs === 'none' ? { security: [] } : { 'x-kvorum-role': needs }),
    parameters,
    ...(body === undefined ? {} : { requestBody: requestBody(body, schemas) }),
    responses: responses(operation),
  };
}

function queryParameters(schema: z.ZodType): Json[] {
  const { properties } = jsonSchema(schema, 'output') as { properties: Readonly<Record<string, Json>> };
  return Object.entries(properties).map(([name, property]) => ({ name, in: 'query', schema: property }));
}

function requestBody(body: keyof HttpSchemas | 'raw', schemas: HttpSchemas): Json {
  if (body === 'raw') return { content: { 'application/octet-stream': { schema: {} } } };
  const schema = jsonSchema(schemas[body], 'input');
  return {
    required: REQUIRED_BODIES.has(body),
    content: { 'application/json': { schema } },
  };
}

function responses(operation: Operation): Json {
  const documented = mapValues(operation.answers, answerObject);
  const access = operation.needs === 'none' ? [] : ACCESS_ERRORS;
  const codes = [...new Set([...access, ...operation.errors, ...COMMON_ERRORS])];
  const byStatus = Object.groupBy(codes, (code) => errorEntry(code).status);
  const problems = mapValues(byStatus, (group) => problemObject(group as ErrorCode[]));
  return { ...problems, ...documented };
}

function answerObject({ description, schema, contents = [], headers = [] }: Answer): Json {
  const raw = Object.fromEntries(contents.map((type) => [type, {}]));
  const json = schema === undefined ? {} : { 'application/json': reference(schema) };
  const content = { ...json, ...raw };
  const named = headers.map((name) => [name, { schema: { type: 'string' } }]);
  return {
    description,
    ...(Object.keys(content).length === 0 ? {} : { content }),
    ...(named.length === 0 ? {} : { headers: Object.fromEntries(named) }),
  };
}

function problemObject(codes: readonly ErrorCode[]): Json {
  return { description: codes.join(', '), content: { 'application/problem+json': reference('Problem') } };
}

function reference(name: keyof typeof answerSchemas): Json {
  return { schema: { $ref: `#/components/schemas/${name}` } };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

function mapValues<Value, Result>(
  record: Readonly<Record<string, Value>>,
  change: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
