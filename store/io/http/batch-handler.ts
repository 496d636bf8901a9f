import { formatVersion } from '../../core/version/version.ts';
import type { BatchOperation, BatchOutcome, KvStore } from '../../storage/kv-store.ts';
import { answerJson } from './answer.ts';
import { bytesField, parseBase64 } from './byte-text.ts';
import { errorEntry } from './error-table.ts';
import { type Exchange, holdBytes } from './exchange.ts';
import type { HttpOptions } from './http-options.ts';
import { checkContentType, iso } from './key-handlers.ts';
import { HttpProblem, toProblem } from './problem.ts';
import { readBody } from './read-body.ts';
import { checkKey, parseNamespaceTarget, rawQuery } from './request-target.ts';
import type { BatchItem } from './schemas.ts';
import { checkBody, parseJson, parseQuery } from './validate.ts';

/** Operations that are given to the store at once at first; it doubles while what they read stays small. */
const FIRST_SLICE = 16;
const SLICE_BYTES_SMALL = 1024 * 1024;

export async function runBatch(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const { options, schemas, store } = context;
  const namespace = parseNamespaceTarget(req.url as string);
  parseQuery(schemas.noQuery, rawQuery(req.url as string));
  const document = parseJson(await readBody(exchange, options.batchBytesMax, 'BATCH_TOO_LARGE'));
  refuseTooMany(document, options);
  const { operations } = checkBody(schemas.batchBody, document, (path) => allowedFields(path, document));
  const parsed = operations.map((item, at) => toOperation(item, at, options));
  const results = await runSlices(exchange, store, namespace, parsed);
  answerJson(exchange, 200, { results });
}

/** Before the schema: it would look at every one of a million operations first. */
function refuseTooMany(document: unknown, options: HttpOptions): void {
  const operations = (document as { operations?: unknown } | null)?.operations;
  const count = Array.isArray(operations) ? operations.length : 0;
  const { batchOperationsMax } = options;
  if (count <= batchOperationsMax) return;
  const detail = `The batch has ${count} operations; at most ${batchOperationsMax} are allowed.`;
  throw new HttpProblem('TOO_MANY_OPERATIONS', detail, { maxOperations: batchOperationsMax });
}

function allowedFields(path: readonly PropertyKey[], document: unknown): readonly string[] {
  if (path.length === 0) return ['operations'];
  const { operations } = document as { operations: readonly { op: string }[] };
  const key = ['op', 'key', 'keyBase64'];
  const isPut = operations[path[1] as number]?.op === 'put';
  return isPut ? [...key, 'value', 'valueBase64', 'ttlSeconds', 'contentType'] : key;
}

function toOperation(item: BatchItem, at: number, options: HttpOptions): BatchOperation {
  const where = `operations[${at}]`;
  const key = eitherBytes(where, 'key', item.key, item.keyBase64);
  checkKey(key, options, `${where}.key`);
  if (item.op !== 'put') return { type: item.op, key };
  const value = eitherBytes(where, 'value', item.value, item.valueBase64);
  if (value.length > options.valueBytesMax) {
    const detail = `${where}.value has ${value.length} bytes; at most ${options.valueBytesMax} are accepted.`;
    throw new HttpProblem('VALUE_TOO_LARGE', detail, { maxBytes: options.valueBytesMax });
  }
  const contentType = checkContentType(item.contentType, options);
  return { type: 'put', key, value, ttlSeconds: item.ttlSeconds, contentType };
}

function eitherBytes(
  where: string,
  name: string,
  text: string | undefined,
  base64: string | undefined,
): Buffer {
  if ((text === undefined) === (base64 === undefined)) {
    throw badField(`${where}: exactly one of ${name} and ${name}Base64 is needed.`, where);
  }
  if (text !== undefined) return Buffer.from(text, 'utf8');
  const bytes = parseBase64(base64 as string);
  if (bytes === undefined) throw badField(`${where}.${name}Base64 is not canonical base64.`, where);
  return bytes;
}

function badField(detail: string, field: string): HttpProblem {
  return new HttpProblem('BAD_FIELD', detail, { field });
}

/**
 * In slices, so that a thousand reads of large values never are in memory together. What would exceed the
 * limit is refused operation by operation; the writes of the batch still take effect.
 */
async function runSlices(
  exchange: Exchange,
  store: KvStore,
  namespace: string,
  operations: readonly BatchOperation[],
): Promise<object[]> {
  const results: object[] = [];
  const bytesMax = exchange.context.options.batchReadBytesMax;
  let slice = operations.some((operation) => operation.type === 'get') ? FIRST_SLICE : operations.length;
  let readBytes = 0;
  for (let at = 0; at < operations.length; ) {
    const outcomes = await store.batch(namespace, operations.slice(at, at + slice));
    at += outcomes.length;
    const before = readBytes;
    for (const outcome of outcomes) {
      readBytes += valueBytes(outcome);
      results.push(
        readBytes > bytesMax && valueBytes(outcome) > 0 ? readRefused(bytesMax) : toResult(outcome),
      );
    }
    holdBytes(exchange, Math.min(readBytes, bytesMax) - Math.min(before, bytesMax));
    slice = readBytes - before < SLICE_BYTES_SMALL ? slice * 2 : FIRST_SLICE;
  }
  return results;
}

function valueBytes(outcome: BatchOutcome): number {
  return outcome.type === 'get' ? (outcome.record?.value.length ?? 0) : 0;
}

function readRefused(bytesMax: number): object {
  const detail = `The values read by this batch exceed ${bytesMax} bytes: read the rest in another batch.`;
  return failed(new HttpProblem('BATCH_TOO_LARGE', detail));
}

function toResult(outcome: BatchOutcome): object {
  if (outcome.type === 'error') return failed(toProblem(outcome.error));
  if (outcome.type === 'get') {
    const { record } = outcome;
    if (record === undefined) return { status: 404, code: 'KEY_NOT_FOUND' };
    return {
      status: 200,
      ...stateFields(record.version, record.expiresAtMs),
      ...bytesField('value', record.value),
      contentType: record.contentType,
    };
  }
  return { status: 204, ...stateFields(outcome.result.version, outcome.result.expiresAtMs) };
}

function stateFields(version: Parameters<typeof formatVersion>[0], expiresAtMs: number | undefined): object {
  const expiresAt = expiresAtMs === undefined ? undefined : iso(expiresAtMs);
  return { version: formatVersion(version), expiresAt };
}

function failed(problem: HttpProblem): object {
  const { status, retryable } = errorEntry(problem.code);
  return { status, code: problem.code, detail: problem.message, retryable, ...problem.data };
}
