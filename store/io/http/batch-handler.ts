import { formatVersion } from '../../core/version/version.ts';
import type { BatchOperation, BatchOutcome, RequestOptions } from '../../storage/kv-store.ts';
import { answerJson } from './answer.ts';
import { writeOptions } from './asked-options.ts';
import { bytesField, parseBase64 } from './byte-text.ts';
import { meetClientEpoch } from './client-epoch.ts';
import { errorEntry } from './error-table.ts';
import { type Exchange, holdBytes, isIdempotent, requireRole } from './exchange.ts';
import type { HttpOptions } from './http-options.ts';
import { checkContentType, iso } from './key-handlers.ts';
import { HttpProblem, isRetryable, toProblem } from './problem.ts';
import { readBody } from './read-body.ts';
import { checkKey, parseNamespaceTarget, rawQuery } from './request-target.ts';
import type { BatchItem } from './schemas.ts';
import { checkBody, parseJson, parseQuery } from './validate.ts';

/** Operations that are given to the store at once at first; it doubles while what they read stays small. */
const FIRST_SLICE = 16;
const SLICE_BYTES_SMALL = 1024 * 1024;

export async function runBatch(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const { options, schemas } = context;
  const namespace = parseNamespaceTarget(req.url as string);
  const raw = rawQuery(req.url as string);
  const levels = raw === undefined ? undefined : parseQuery(schemas.writeQuery, raw);
  const asked = writeOptions(exchange, levels);
  const document = parseJson(await readBody(exchange, options.batchBytesMax, 'BATCH_TOO_LARGE'));
  refuseTooMany(document, options);
  const { operations } = checkBody(schemas.batchBody, document, (path) => allowedFields(path, document));
  if (operations.some(({ op }) => op !== 'get')) requireRole(exchange, 'write');
  const parsed = operations.map((item, at) => toOperation(item, at, options));
  await meetClientEpoch(exchange);
  const results = await runSlices(exchange, namespace, parsed, asked);
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
  namespace: string,
  operations: readonly BatchOperation[],
  asked: RequestOptions | undefined,
): Promise<object[]> {
  const results: object[] = [];
  const { store, options } = exchange.context;
  const bytesMax = options.batchReadBytesMax;
  const isSafe = isIdempotent(exchange);
  let slice = operations.some((operation) => operation.type === 'get') ? FIRST_SLICE : operations.length;
  let readBytes = 0;
  for (let at = 0; at < operations.length; ) {
    const part = operations.slice(at, at + slice);
    const outcomes = await store.batch(namespace, part, sliceOptions(exchange, asked, at));
    at += outcomes.length;
    const before = readBytes;
    for (const [index, outcome] of outcomes.entries()) {
      const mayRepeat = isSafe || part[index]?.type === 'get';
      readBytes += valueBytes(outcome);
      results.push(
        readBytes > bytesMax && valueBytes(outcome) > 0
          ? readRefused(bytesMax)
          : toResult(outcome, mayRepeat),
      );
    }
    holdBytes(exchange, Math.min(readBytes, bytesMax) - Math.min(before, bytesMax));
    if (asked?.idempotencyKey === undefined)
      slice = readBytes - before < SLICE_BYTES_SMALL ? slice * 2 : FIRST_SLICE;
  }
  return results;
}

/**
 * The time is for all slices together, each slice has an idempotency key of its own, which no client can give. Slices of a
 * batch with such a key are of one size, so that a repeated batch has the same ones, whatever it reads.
 */
function sliceOptions(
  { context, startedMs }: Exchange,
  asked: RequestOptions | undefined,
  at: number,
): RequestOptions | undefined {
  if (asked === undefined || at === 0) return asked;
  const { idempotencyKey, timeoutMs } = asked;
  const spentMs = context.clock.monotonicMs() - startedMs;
  return {
    ...asked,
    timeoutMs: timeoutMs === undefined ? undefined : Math.max(1, Math.ceil(timeoutMs - spentMs)),
    idempotencyKey: idempotencyKey === undefined ? undefined : `${idempotencyKey}\n${at}`,
  };
}

function valueBytes(outcome: BatchOutcome): number {
  return outcome.type === 'get' ? (outcome.record?.value.length ?? 0) : 0;
}

function readRefused(bytesMax: number): object {
  const detail = `The values read by this batch exceed ${bytesMax} bytes: read the rest in another batch.`;
  return failed(new HttpProblem('BATCH_TOO_LARGE', detail), true);
}

function toResult(outcome: BatchOutcome, mayRepeat: boolean): object {
  if (outcome.type === 'error') return failed(toProblem(outcome.error), mayRepeat);
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

function failed(problem: HttpProblem, mayRepeat: boolean): object {
  const { status } = errorEntry(problem.code);
  const retryable = isRetryable(problem, mayRepeat);
  return { ...problem.data, status, code: problem.code, detail: problem.message, retryable };
}
