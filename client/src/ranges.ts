import { batchResults, batchToJson } from './batch.ts';
import { idempotency } from './keys.ts';
import { type ReadOptions, takesTime, type WriteOptions, withLevels } from './levels.ts';
import { lines } from './ndjson.ts';
import { queryOf } from './query.ts';
import { namespacePath, read } from './requests.ts';
import type { Request, Transport } from './transport.ts';
import type { BatchOperation, BatchResult, Entry, Page, PageQuery, RangeQuery } from './types.ts';
import { arrayIn, entryOf, jsonOf, optionalString, parseJson } from './wire.ts';

// Many keys in one request.

export const PAGE_ENTRIES_MAX = 1000;

export async function runBatch(
  transport: Transport,
  namespace: string,
  operations: readonly BatchOperation[],
  options: WriteOptions,
): Promise<BatchResult[]> {
  const request = batchRequest(namespace, operations, options);
  return batchResults(operations, jsonOf(await transport.call(request, options)));
}

export function batchRequest(
  namespace: string,
  operations: readonly BatchOperation[],
  options: WriteOptions,
): Request {
  const isRead = operations.every(({ op }) => op === 'get');
  const { headers, ...repeatable } = isRead ? {} : idempotency(options);
  return {
    method: 'POST',
    path: withLevels(`${namespacePath(namespace)}:batch`, options),
    isRead,
    ...repeatable,
    isSpread: true,
    takesTime: takesTime(options),
    headers: { ...headers, 'content-type': 'application/json' },
    body: batchToJson(operations),
  };
}

export async function readPage(
  transport: Transport,
  namespace: string,
  query: PageQuery,
  options: ReadOptions,
): Promise<Page> {
  const path = withLevels(namespacePath(namespace) + queryOf(query), options);
  const request: Request = { ...read(path), isSpread: true, takesTime: takesTime(options) };
  const json = jsonOf(await transport.call(request, options));
  return { entries: arrayIn(json, 'entries').map(entryOf), cursor: optionalString(json, 'cursor') };
}

export async function* readPages(
  transport: Transport,
  namespace: string,
  query: RangeQuery,
  options: ReadOptions,
): AsyncGenerator<Entry, void, undefined> {
  let remaining = query.limit ?? Number.POSITIVE_INFINITY;
  let cursor: string | undefined;
  do {
    const limit = Math.min(remaining, PAGE_ENTRIES_MAX);
    const pageQuery = { ...query, limit, ...(cursor !== undefined && { cursor }) };
    const page = await readPage(transport, namespace, pageQuery, options);
    yield* page.entries;
    remaining -= page.entries.length;
    cursor = page.cursor;
  } while (cursor !== undefined && remaining > 0);
}

export async function* exportRange(
  transport: Transport,
  namespace: string,
  query: RangeQuery,
  options: ReadOptions,
): AsyncGenerator<Entry, void, undefined> {
  const path = withLevels(namespacePath(namespace) + queryOf(query), options);
  const request: Request = { ...read(path), isSpread: true, headers: { accept: 'application/x-ndjson' } };
  for await (const line of lines(transport.stream(request, options))) yield entryOf(parseJson(line));
}
