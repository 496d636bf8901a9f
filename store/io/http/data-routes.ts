import { scanLocal } from './local-handler.ts';
import { explainKey, getRepair, getRing, locateKey } from './ring-handlers.ts';
import type { Route } from './route.ts';
import { verifyData } from './verify-handler.ts';

const NODE_ERRORS = [
  'OVERLOADED',
  'SHUTTING_DOWN',
  'CLUSTER_WAITING',
  'CLUSTER_FORMING',
  'MEMBER_EXCLUDED',
] as const;
const QUERY_ERRORS = ['UNKNOWN_PARAMETER', 'BAD_PARAMETER'] as const;
const KEY_ERRORS = [...QUERY_ERRORS, 'BAD_KEY_ENCODING', 'KEY_EMPTY', 'KEY_TOO_LONG'] as const;
const NAMESPACE_ERRORS = ['BAD_NAMESPACE_NAME', 'NAMESPACE_NOT_FOUND'] as const;

/** Replicated data as people and clients that choose replicas see it. */
export const dataRoutes: readonly Route[] = [
  {
    template: '/v1/ring',
    pattern: /^\/v1\/ring$/,
    operations: {
      GET: {
        summary: 'Who owns what, as this node has applied it; with `after` it waits for a later epoch',
        handle: getRing,
        needs: 'read',
        query: 'ringQuery',
        headers: { 'If-None-Match': 'Epochs that the reader has, quoted: `"17"`.' },
        answers: {
          200: { description: 'The ring.', schema: 'Ring', headers: ['ETag'] },
          304: { description: 'There is no other one than what the reader has.', headers: ['ETag'] },
        },
        errors: [...QUERY_ERRORS, ...NODE_ERRORS],
      },
    },
  },
  {
    template: '/v1/locate/{key}',
    pattern: /^\/v1\/locate\//,
    operations: {
      GET: {
        summary: 'Slot, partition and replicas of a key',
        handle: locateKey,
        needs: 'read',
        answers: { 200: { description: 'Where it is.', schema: 'KeyPlace' } },
        errors: [...KEY_ERRORS, ...NODE_ERRORS],
      },
    },
  },
  {
    template: '/v1/explain/{namespace}/{key}',
    pattern: /^\/v1\/explain\/[^/]*\//,
    operations: {
      GET: {
        summary: 'Whether a key is safe: what each of its replicas holds',
        handle: explainKey,
        needs: 'read',
        answers: { 200: { description: 'The verdict, and what it follows from.', schema: 'KeyExplanation' } },
        errors: [...KEY_ERRORS, ...NAMESPACE_ERRORS, ...NODE_ERRORS],
      },
    },
  },
  {
    template: '/v1/verify',
    pattern: /^\/v1\/verify$/,
    operations: {
      POST: {
        summary: 'Compare all replicas now; lines of progress, the last one is the report',
        handle: verifyData,
        needs: 'admin',
        query: 'verifyQuery',
        answers: { 200: { description: 'Lines of `VerifyLine`.', contents: ['application/x-ndjson'] } },
        errors: [...QUERY_ERRORS, 'BAD_MEMBER_NAME', 'MEMBER_NOT_FOUND', ...NODE_ERRORS],
      },
    },
  },
  {
    template: '/v1/local/{namespace}',
    pattern: /^\/v1\/local\/[^/]+$/,
    operations: {
      GET: {
        summary: 'A page of what this node itself holds, in byte order',
        handle: scanLocal,
        needs: 'read',
        query: 'localQuery',
        answers: { 200: { description: 'A page.', schema: 'LocalPage' } },
        errors: [
          ...QUERY_ERRORS,
          ...NAMESPACE_ERRORS,
          ...(['BAD_CURSOR', 'RECORD_CORRUPT', 'STORAGE_FAILED'] as const),
          ...NODE_ERRORS,
        ],
      },
    },
  },
  {
    template: '/v1/repair',
    pattern: /^\/v1\/repair$/,
    operations: {
      GET: {
        summary: 'What repairs this node: hints, exchanges, trees',
        handle: getRepair,
        needs: 'read',
        answers: { 200: { description: 'Its state.', schema: 'RepairStatus' } },
        errors: ['UNKNOWN_PARAMETER', ...NODE_ERRORS],
      },
    },
  },
];
