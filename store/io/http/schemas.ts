import { z } from 'zod';
import { clusterAnswerSchemas, clusterSchemas, nodeState } from './cluster-schemas.ts';
import { dataAnswerSchemas, dataSchemas } from './data-schemas.ts';
import type { HttpOptions } from './http-options.ts';
import { operationAnswerSchemas, operationSchemas } from './operation-schemas.ts';
import { DNS_LABEL } from './request-target.ts';
import { booleanText, integerText, levelText } from './schema-text.ts';

/** The schemas that validate, and from which the OpenAPI document is written. */
export type HttpSchemas = ReturnType<typeof createSchemas>;
export type ScanParameters = z.output<HttpSchemas['scanQuery']>;
export type RangeParameters = Omit<ScanParameters, 'format' | 'r' | 'timeoutMs'>;
export type BatchItem = z.output<HttpSchemas['batchOperation']>;

export function createSchemas(options: HttpOptions) {
  const batchOperation = batchOperationSchema(options);
  const timeoutMs = integerText(1, options.askedTimeoutMsMax).optional();
  const read = { r: levelText().optional(), timeoutMs };
  const write = { ...read, w: levelText().optional() };
  return {
    noQuery: z.strictObject({}),
    readQuery: z.strictObject(read),
    writeQuery: z.strictObject(write),
    putQuery: z.strictObject({ ttl: integerText(1, options.ttlSecondsMax).optional(), ...write }),
    scanQuery: z.strictObject({
      ...rangeShape(options),
      format: z.enum(['json', 'ndjson']).optional(),
      ...read,
    }),
    ...dataSchemas(options, rangeShape(options)),
    namespaceDeleteQuery: z.strictObject({ confirm: z.string().optional() }),
    namespaceBody: z.strictObject({ consistency: z.literal('quorum').optional() }),
    ...clusterSchemas(options),
    ...operationSchemas(),
    batchOperation,
    batchBody: z.strictObject({ operations: z.array(batchOperation) }),
  };
}

/** Query values reach these schemas as one character per byte. */
function rangeShape(options: HttpOptions) {
  return {
    prefix: z.string().optional(),
    start: z.string().optional(),
    end: z.string().optional(),
    limit: integerText(1, Number.MAX_SAFE_INTEGER).optional(),
    reverse: booleanText().optional(),
    values: booleanText().optional(),
    cursor: z
      .string()
      .max(4 * options.keyBytesMax)
      .optional(),
  };
}

/** JSON can spell lone surrogates, which no UTF-8 can hold: storing them would store something else. */
function text() {
  return z.string().refine((value) => value.isWellFormed(), 'a lone surrogate is not valid text');
}

function batchOperationSchema(options: HttpOptions) {
  const key = { key: text().optional(), keyBase64: z.string().optional() };
  const put = z.strictObject({
    op: z.literal('put'),
    ...key,
    value: text().optional(),
    valueBase64: z.string().optional(),
    ttlSeconds: z.int().min(1).max(options.ttlSecondsMax).optional(),
    contentType: z.string().optional(),
  });
  const get = z.strictObject({ op: z.literal('get'), ...key });
  return z.discriminatedUnion('op', [put, get, z.strictObject({ op: z.literal('delete'), ...key })]);
}

const version = z.string().regex(/^[0-9a-f]{12}-[0-9a-f]{4}-(0|[1-9][0-9]{0,9})$/);
const check = z.object({ name: z.string(), ok: z.boolean(), reason: z.string().optional() });
const readState = {
  version,
  value: z.string().optional(),
  valueBase64: z.string().optional(),
  contentType: z.string().optional(),
  expiresAt: z.string().optional(),
};
const namespace = z.object({
  name: z.string().regex(DNS_LABEL),
  consistency: z.literal('quorum'),
  createdAt: z.string(),
});

const settingValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
const configStatus = {
  file: z.string().optional(),
  fileHash: z.string().optional(),
  problem: z.string().optional(),
  refusedHash: z.string().optional(),
  restartNeeded: z.array(z.string()),
};

/** What answers look like; they are documentation, nothing validates them at run time but the tests. */
export const answerSchemas = {
  Problem: z.looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    retryable: z.boolean(),
    action: z.string(),
  }),
  BatchAnswer: z.object({
    results: z.array(
      z.looseObject({
        status: z.int(),
        ...readState,
        version: version.optional(),
        code: z.string().optional(),
        detail: z.string().optional(),
        retryable: z.boolean().optional(),
      }),
    ),
  }),
  ScanAnswer: z.object({
    entries: z.array(
      z.object({ key: z.string().optional(), keyBase64: z.string().optional(), ...readState }),
    ),
    cursor: z.string().nullable(),
  }),
  Namespace: namespace,
  NamespaceList: z.object({ namespaces: z.array(namespace) }),
  Liveness: z.object({ status: z.literal('ok') }),
  Readiness: z.object({ status: z.enum(['ready', 'not-ready']), checks: z.array(check) }),
  NodeStatus: z.object({
    name: z.string(),
    version: z.string(),
    engine: z.string(),
    startedAt: z.string(),
    uptimeSeconds: z.number(),
    ready: z.boolean(),
    checks: z.array(check),
    storage: z.object({
      state: z.enum(['ok', 'full', 'failed']),
      freeBytes: z.number(),
      reserveBytes: z.number(),
    }),
    namespaces: z.int(),
    config: z.object(configStatus).optional(),
    cluster: z
      .object({
        state: nodeState,
        clusterId: z.string().optional(),
        epoch: z.int(),
        leader: z.string().optional(),
      })
      .optional(),
  }),
  NodeConfig: z.object({
    ...configStatus,
    settings: z.array(
      z.object({
        name: z.string(),
        value: settingValue,
        origin: z.string(),
        isLive: z.boolean(),
        afterRestart: settingValue.optional(),
      }),
    ),
  }),
  ...clusterAnswerSchemas,
  ...operationAnswerSchemas,
  ...dataAnswerSchemas,
};

export type AnswerName = keyof typeof answerSchemas;
