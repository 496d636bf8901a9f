import { bytesFromJson, bytesToJson, checkedKey } from './bytes.ts';
import { KvorumProtocolError, type KvorumResponseError } from './errors.ts';
import { problemError } from './failure.ts';
import type { BatchFailure, BatchOperation, BatchResult, BatchSuccess } from './types.ts';
import { arrayIn, expiresAtIn, type Json, optionalString } from './wire.ts';

export function batchToJson(operations: readonly BatchOperation[]): string {
  return JSON.stringify({ operations: operations.map(operationToJson) });
}

function operationToJson(operation: BatchOperation): Json {
  checkedKey(operation.key);
  const head = { op: operation.op, ...bytesToJson('key', operation.key) };
  if (operation.op !== 'put') return head;
  const { ttlSeconds, contentType } = operation; // JSON leaves out what is undefined
  return { ...head, ...bytesToJson('value', operation.value), ttlSeconds, contentType };
}

/** One result per operation, in order. */
export function batchResults(operations: readonly BatchOperation[], json: Json): BatchResult[] {
  const results = arrayIn(json, 'results');
  if (results.length !== operations.length) {
    throw new KvorumProtocolError(`${results.length} results for ${operations.length} operations`);
  }
  return operations.map((operation, index) => resultOf(operation.op, results[index]!));
}

function resultOf(op: BatchOperation['op'], json: Json): BatchResult {
  const status = Number(json.status);
  const code = optionalString(json, 'code') ?? `HTTP_${status}`;
  const isMissing = op === 'get' && status === 404 && code === 'KEY_NOT_FOUND';
  if (isMissing || (status >= 200 && status < 300)) return successOf(op, json);
  const detail = optionalString(json, 'detail') ?? '';
  const problem = { ...json, status, code, detail, retryable: json.retryable === true };
  const { retryable, outcome, data } = problemError(problem, undefined, { isRead: op === 'get' });
  return { ok: false, op, status, code, detail, retryable, outcome, data };
}

/** What a single call throws for it. */
export function errorOf({
  op,
  status,
  code,
  detail,
  retryable,
  outcome,
  data,
}: BatchFailure): KvorumResponseError {
  const problem = { ...data, status, code, detail, retryable, ...(outcome !== undefined && { outcome }) };
  return problemError(problem, undefined, { isRead: op === 'get' });
}

function successOf(op: BatchOperation['op'], json: Json): BatchSuccess {
  return {
    ok: true,
    op,
    version: optionalString(json, 'version'),
    value: bytesFromJson('value', json),
    contentType: optionalString(json, 'contentType'),
    expiresAt: expiresAtIn(json),
  };
}
