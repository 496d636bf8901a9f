import { runBatch } from './batch-handler.ts';
import { clusterRoutes } from './cluster-routes.ts';
import { dataRoutes } from './data-routes.ts';
import { deleteKey, getKey, putKey } from './key-handlers.ts';
import { deleteNamespace, getNamespace, listNamespaces, putNamespace } from './namespace-handlers.ts';
import { livez, metricsPage, nodeConfig, nodeStatus, openApi, readyz } from './node-handlers.ts';
import { operationRoutes } from './operation-routes.ts';
import type { NeededRole } from './role.ts';
import type { Operation, Route } from './route.ts';
import { scanKeys } from './scan-handler.ts';

const NAMESPACE_ERRORS = ['BAD_NAMESPACE_NAME', 'NAMESPACE_NOT_FOUND', 'UNKNOWN_PARAMETER'] as const;
const KEY_ERRORS = [
  ...NAMESPACE_ERRORS,
  'BAD_KEY_ENCODING',
  'KEY_EMPTY',
  'KEY_TOO_LONG',
  'BAD_PARAMETER',
  'BAD_HEADER',
] as const;
const STORE_ERRORS = [
  ...(['OVERLOADED', 'SHUTTING_DOWN', 'STORAGE_FAILED'] as const),
  ...(['CLUSTER_WAITING', 'CLUSTER_FORMING', 'MEMBER_EXCLUDED'] as const),
] as const;
const QUORUM_ERRORS = [
  ...(['QUORUM_NOT_MET', 'DEADLINE_EXCEEDED', 'REPLICA_OUT', 'EPOCH_IN_FUTURE', 'NO_LEADER'] as const),
] as const;
const READ_ERRORS = [...STORE_ERRORS, ...QUORUM_ERRORS, 'RECORD_CORRUPT'] as const;
const WRITE_ERRORS = [
  ...STORE_ERRORS,
  ...QUORUM_ERRORS,
  ...(['STORAGE_FULL', 'CLOCK_SKEW', 'IDEMPOTENCY_MISMATCH'] as const),
] as const;
const CHANGE_ERRORS = [...STORE_ERRORS, 'STORAGE_FULL', 'NO_LEADER', 'OUTCOME_UNKNOWN'] as const;
const CONDITION = 'Refused: a quorum namespace cannot compare and set.';
const VALUE_HEADERS = ['ETag', 'Kvorum-Expires-At', 'Kvorum-Replicas'];
const EPOCH_HEADER = {
  'Kvorum-Epoch': 'Epoch of the topology that the client goes by; the node catches up first.',
};
const REPLICAS_HEADER = {
  ...EPOCH_HEADER,
  'Kvorum-Replicas': '`true`: the answer says in the same header what each replica said.',
};
const REPEAT_HEADER = {
  'Idempotency-Key': '1..128 printable ASCII characters; a write that is repeated with it is applied once.',
};

const getOperation: Operation = {
  summary: 'Read a key',
  handle: getKey,
  needs: 'read',
  query: 'readQuery',
  headers: {
    'If-None-Match': 'Versions that the reader has: `*`, or a list of quoted versions.',
    ...REPLICAS_HEADER,
  },
  answers: {
    200: { description: 'The value, raw.', contents: ['*/*'], headers: VALUE_HEADERS },
    304: { description: 'The reader has this version.', headers: VALUE_HEADERS },
  },
  errors: [...KEY_ERRORS, 'KEY_NOT_FOUND', ...READ_ERRORS],
};

const keyRoute: Route = {
  template: '/v1/kv/{namespace}/{key}',
  pattern: /^\/v1\/kv\/[^/]*\//,
  operations: {
    GET: getOperation,
    HEAD: { ...getOperation, summary: 'Read the state of a key without its value' },
    PUT: {
      summary: 'Write a key; answered once the write is durable',
      handle: putKey,
      needs: 'write',
      query: 'putQuery',
      headers: {
        ...{ 'Kvorum-TTL': 'Whole seconds; the same as the parameter ttl.', 'If-Match': CONDITION },
        ...REPLICAS_HEADER,
        ...REPEAT_HEADER,
      },
      body: 'raw',
      answers: { 204: { description: 'Written.', headers: VALUE_HEADERS } },
      errors: [
        ...KEY_ERRORS,
        'BAD_TTL',
        'BAD_CONTENT_TYPE',
        'CONDITION_NEEDS_LINEARIZABLE',
        'VALUE_TOO_LARGE',
        ...WRITE_ERRORS,
      ],
    },
    DELETE: {
      summary: 'Delete a key; deleting a missing key is a success',
      handle: deleteKey,
      needs: 'write',
      query: 'writeQuery',
      headers: { 'If-Match': CONDITION, ...REPLICAS_HEADER, ...REPEAT_HEADER },
      answers: { 204: { description: 'Deleted.', headers: ['ETag', 'Kvorum-Replicas'] } },
      errors: [...KEY_ERRORS, 'CONDITION_NEEDS_LINEARIZABLE', ...WRITE_ERRORS],
    },
  },
};

const batchRoute: Route = {
  template: '/v1/kv/{namespace}:batch',
  pattern: /^\/v1\/kv\/[^/]*:batch$/,
  operations: {
    POST: {
      summary: 'Many operations, each with its own outcome, in order; not a transaction',
      handle: runBatch,
      needs: 'read',
      query: 'writeQuery',
      headers: { ...EPOCH_HEADER, ...REPEAT_HEADER },
      body: 'batchBody',
      answers: { 200: { description: 'One result per operation.', schema: 'BatchAnswer' } },
      errors: [
        ...NAMESPACE_ERRORS,
        ...(['BAD_JSON', 'BAD_FIELD', 'UNKNOWN_FIELD', 'BAD_TTL', 'BAD_CONTENT_TYPE', 'KEY_EMPTY'] as const),
        ...(['KEY_TOO_LONG', 'TOO_MANY_OPERATIONS', 'VALUE_TOO_LARGE', 'BATCH_TOO_LARGE'] as const),
        ...(['BAD_PARAMETER', 'BAD_HEADER'] as const),
        ...READ_ERRORS,
        ...WRITE_ERRORS,
      ],
    },
  },
};

const scanRoute: Route = {
  template: '/v1/kv/{namespace}',
  pattern: /^\/v1\/kv\/[^/]+$/,
  operations: {
    GET: {
      summary: 'A page of keys in byte order, or the whole range as a stream of lines',
      handle: scanKeys,
      needs: 'read',
      query: 'scanQuery',
      headers: EPOCH_HEADER,
      answers: {
        200: { description: 'A page, or lines.', schema: 'ScanAnswer', contents: ['application/x-ndjson'] },
      },
      errors: [...NAMESPACE_ERRORS, 'BAD_PARAMETER', 'BAD_HEADER', 'BAD_CURSOR', ...READ_ERRORS],
    },
  },
};

const namespacesRoute: Route = {
  template: '/v1/namespaces',
  pattern: /^\/v1\/namespaces$/,
  operations: {
    GET: {
      summary: 'All namespaces',
      handle: listNamespaces,
      needs: 'read',
      answers: { 200: { description: 'The namespaces.', schema: 'NamespaceList' } },
      errors: ['UNKNOWN_PARAMETER', ...STORE_ERRORS],
    },
  },
};

const namespaceRoute: Route = {
  template: '/v1/namespaces/{name}',
  pattern: /^\/v1\/namespaces\/[^/]+$/,
  operations: {
    GET: {
      summary: 'One namespace',
      handle: getNamespace,
      needs: 'read',
      answers: { 200: { description: 'The namespace.', schema: 'Namespace' } },
      errors: [...NAMESPACE_ERRORS, ...STORE_ERRORS],
    },
    PUT: {
      summary: 'Create a namespace; one that exists is left as it is',
      handle: putNamespace,
      needs: 'admin',
      body: 'namespaceBody',
      answers: {
        200: { description: 'It exists.', schema: 'Namespace' },
        201: { description: 'It was created.', schema: 'Namespace' },
      },
      errors: [
        ...(['BAD_NAMESPACE_NAME', 'UNKNOWN_PARAMETER', 'BAD_JSON', 'BAD_FIELD', 'UNKNOWN_FIELD'] as const),
        ...(['NAMESPACE_LIMIT', 'BODY_TOO_LARGE'] as const),
        ...CHANGE_ERRORS,
      ],
    },
    DELETE: {
      summary: 'Delete a namespace; one with data needs its name in `confirm`',
      handle: deleteNamespace,
      needs: 'admin',
      query: 'namespaceDeleteQuery',
      answers: { 204: { description: 'Deleted.' } },
      errors: [
        ...NAMESPACE_ERRORS,
        ...(['BAD_PARAMETER', 'NAMESPACE_NOT_EMPTY', 'NAMESPACE_PROTECTED'] as const),
        ...CHANGE_ERRORS,
      ],
    },
  },
};

function nodeRoute(
  path: string,
  needs: NeededRole,
  summary: string,
  handle: Operation['handle'],
  answers: Operation['answers'],
): Route {
  const pattern = new RegExp(`^${path.replaceAll('.', '\\.')}$`);
  return {
    template: path,
    pattern,
    isProbe: true,
    operations: { GET: { summary, handle, needs, answers, errors: [] } },
  };
}

/** In the order in which they are tried: the hot path first. */
export const routes: readonly Route[] = [
  keyRoute,
  batchRoute,
  scanRoute,
  namespacesRoute,
  namespaceRoute,
  ...operationRoutes,
  ...clusterRoutes,
  ...dataRoutes,
  nodeRoute('/livez', 'none', 'Whether the process can answer at all', livez, {
    200: { description: 'It can.', schema: 'Liveness' },
  }),
  nodeRoute('/readyz', 'none', 'Whether the node should be sent requests', readyz, {
    200: { description: 'It should.', schema: 'Readiness' },
    503: { description: 'It should not; the checks say why.', schema: 'Readiness' },
  }),
  nodeRoute('/metrics', 'metrics', 'Metrics in the Prometheus text format', metricsPage, {
    200: { description: 'The metrics.', contents: ['text/plain'] },
  }),
  nodeRoute('/v1/status', 'read', 'The node in one document', nodeStatus, {
    200: { description: 'Its status.', schema: 'NodeStatus' },
  }),
  nodeRoute('/v1/config', 'read', 'The settings of the node that are in effect', nodeConfig, {
    200: { description: 'They, and what became of the settings file.', schema: 'NodeConfig' },
  }),
  nodeRoute('/v1/openapi.json', 'metrics', 'This document', openApi, {
    200: { description: 'OpenAPI 3.1.', contents: ['application/json'] },
  }),
];
