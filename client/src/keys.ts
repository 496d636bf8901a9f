import { randomUUID } from 'node:crypto';
import { type Bytes, checkedKey, toBytes } from './bytes.ts';
import type { Answer } from './failure.ts';
import { type ReadOptions, takesTime, type WriteOptions, withLevels } from './levels.ts';
import { isMissing, keyPathOf } from './requests.ts';
import type { Request, Transport } from './transport.ts';
import type { PutOptions, StoredValue, ValueInfo, Written } from './types.ts';
import { expiryOf, infoOf, versionOf } from './wire.ts';

// One key in one request.

export async function putKey(
  transport: Transport,
  namespace: string,
  key: Bytes,
  value: Bytes,
  options: PutOptions & WriteOptions,
): Promise<Written> {
  const { ttlSeconds, contentType } = options;
  const ttl = ttlSeconds === undefined ? '' : `?ttl=${ttlSeconds}`;
  const request = keyRequest('PUT', namespace, key, options, ttl);
  const headers = { ...request.headers, ...(contentType !== undefined && { 'content-type': contentType }) };
  const answer = await transport.call({ ...request, headers, body: toBytes(value) }, options);
  return { version: versionOf(answer), expiresAt: expiryOf(answer) };
}

export async function getKey(
  transport: Transport,
  namespace: string,
  key: Bytes,
  options: ReadOptions,
): Promise<StoredValue | undefined> {
  return storedIn(await transport.call(getRequest(namespace, key, options), options));
}

export function getRequest(namespace: string, key: Bytes, options: ReadOptions): Request {
  return { ...keyRequest('GET', namespace, key, options), statuses: [404] };
}

export function storedIn(answer: Answer): StoredValue | undefined {
  if (isMissing(answer, 'KEY_NOT_FOUND')) return undefined;
  return { ...infoOf(answer), value: answer.body };
}

export async function headKey(
  transport: Transport,
  namespace: string,
  key: Bytes,
  options: ReadOptions,
): Promise<(ValueInfo & { bytes: number }) | undefined> {
  const request = keyRequest('HEAD', namespace, key, options);
  const answer = await transport.call({ ...request, statuses: [404] }, options);
  if (answer.status === 404) return undefined;
  return { ...infoOf(answer), bytes: Number(answer.headers['content-length']) };
}

export async function deleteKey(
  transport: Transport,
  namespace: string,
  key: Bytes,
  options: WriteOptions,
): Promise<{ version: string }> {
  const answer = await transport.call(keyRequest('DELETE', namespace, key, options), options);
  return { version: versionOf(answer) };
}

/** What makes a write repeatable, and the header that says so to the node; drawn once per call. */
export function idempotency({ idempotent }: WriteOptions): Pick<Request, 'isIdempotent' | 'headers'> {
  return idempotent === true ? { isIdempotent: true, headers: { 'idempotency-key': randomUUID() } } : {};
}

function keyRequest(
  method: 'GET' | 'HEAD' | 'PUT' | 'DELETE',
  namespace: string,
  key: Bytes,
  options: WriteOptions,
  query = '',
): Request {
  const bytes = checkedKey(key);
  const isRead = method === 'GET' || method === 'HEAD';
  return {
    method,
    path: withLevels(keyPathOf(namespace, bytes) + query, options),
    isRead,
    key: bytes,
    takesTime: takesTime(options),
    ...(!isRead && idempotency(options)),
  };
}
