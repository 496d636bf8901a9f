import { formatVersion } from '../../core/version/version.ts';
import type { PutWrite, WriteResult } from '../../storage/kv-store.ts';
import { answer } from './answer.ts';
import { type AskedLevels, readOptions, writeOptions } from './asked-options.ts';
import { meetClientEpoch } from './client-epoch.ts';
import { matchesTag } from './entity-tag.ts';
import { type Exchange, holdBytes } from './exchange.ts';
import type { HttpOptions } from './http-options.ts';
import { HttpProblem } from './problem.ts';
import { readBody } from './read-body.ts';
import { parseKeyTarget, rawQuery } from './request-target.ts';
import { parseQuery } from './validate.ts';

const DEFAULT_CONTENT_TYPE = 'application/octet-stream';
const KEPT_CONTENT_TYPE = /^[\x20-\x7e]+$/;

export async function getKey(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const { namespace, key } = parseKeyTarget(req.url as string, context.options);
  const raw = rawQuery(req.url as string);
  const levels = raw === undefined ? undefined : parseQuery(context.schemas.readQuery, raw);
  const options = readOptions(exchange, levels);
  const catchUp = meetClientEpoch(exchange);
  if (catchUp !== undefined) await catchUp;
  const record = await context.store.get(namespace, key, options);
  if (record === undefined) throw new HttpProblem('KEY_NOT_FOUND', 'The key does not exist.');
  const etag = `"${formatVersion(record.version)}"`;
  const headers = ['ETag', etag];
  if (record.expiresAtMs !== undefined) headers.push('Kvorum-Expires-At', iso(record.expiresAtMs));
  const condition = req.headers['if-none-match'];
  if (condition !== undefined && matchesTag(condition, etag)) return answer(exchange, 304, headers);
  headers.push('Content-Type', record.contentType ?? DEFAULT_CONTENT_TYPE);
  headers.push('Content-Length', String(record.value.length));
  if (req.method === 'HEAD') return answer(exchange, 200, headers);
  holdBytes(exchange, record.value.length);
  answer(exchange, 200, headers, record.value);
}

export async function putKey(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const { options, store } = context;
  const { namespace, key } = parseKeyTarget(req.url as string, options);
  const { ttlSeconds, levels } = readPutQuery(exchange);
  refuseConditions(exchange);
  const asked = writeOptions(exchange, levels);
  const contentType = checkContentType(req.headers['content-type'], options);
  const value = await readBody(exchange, options.valueBytesMax, 'VALUE_TOO_LARGE');
  const write: PutWrite = { value, contentType, ttlSeconds };
  const catchUp = meetClientEpoch(exchange);
  if (catchUp !== undefined) await catchUp;
  answerWritten(exchange, await store.put(namespace, key, write, asked));
}

export async function deleteKey(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const { namespace, key } = parseKeyTarget(req.url as string, context.options);
  const raw = rawQuery(req.url as string);
  const levels = raw === undefined ? undefined : parseQuery(context.schemas.writeQuery, raw);
  refuseConditions(exchange);
  const options = writeOptions(exchange, levels);
  const catchUp = meetClientEpoch(exchange);
  if (catchUp !== undefined) await catchUp;
  answerWritten(exchange, await context.store.delete(namespace, key, options));
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** A content type comes back as a header: only what a header can carry is kept. */
export function checkContentType(text: string | undefined, options: HttpOptions): string | undefined {
  if (text === undefined || text === '') return undefined;
  const { contentTypeBytesMax } = options;
  if (text.length <= contentTypeBytesMax && KEPT_CONTENT_TYPE.test(text)) return text;
  const detail = `A content type is 1..${contentTypeBytesMax} printable ASCII characters.`;
  throw new HttpProblem('BAD_CONTENT_TYPE', detail, { maxBytes: contentTypeBytesMax });
}

function answerWritten(exchange: Exchange, result: WriteResult): void {
  const headers = ['ETag', `"${formatVersion(result.version)}"`];
  if (result.expiresAtMs !== undefined) headers.push('Kvorum-Expires-At', iso(result.expiresAtMs));
  answer(exchange, 204, headers);
}

function refuseConditions(exchange: Exchange): void {
  const { headers } = exchange.req;
  const present = ['if-match', 'if-none-match', 'if-unmodified-since'].find((name) => name in headers);
  if (present === undefined) return;
  const detail = `${present} needs a linearizable namespace; this one is quorum.`;
  throw new HttpProblem('CONDITION_NEEDS_LINEARIZABLE', detail, { header: present });
}

type PutQuery = { readonly ttlSeconds: number | undefined; readonly levels: AskedLevels | undefined };

function readPutQuery(exchange: Exchange): PutQuery {
  const { req, context } = exchange;
  const raw = rawQuery(req.url as string);
  const header = req.headers['kvorum-ttl'];
  if (raw === undefined && header === undefined) return { ttlSeconds: undefined, levels: undefined };
  const { ttl: fromQuery, ...levels } = parseQuery(context.schemas.putQuery, raw);
  if (header === undefined) return { ttlSeconds: fromQuery, levels };
  const { ttl } = parseQuery(context.schemas.putQuery, `ttl=${encodeURIComponent(String(header))}`);
  if (fromQuery === undefined || fromQuery === ttl) return { ttlSeconds: ttl, levels };
  throw new HttpProblem('BAD_TTL', 'The header Kvorum-TTL and the parameter ttl differ.');
}
