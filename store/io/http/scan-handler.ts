import type { Namespace, ScanEntry, ScanRange } from '../../storage/kv-store.ts';
import { answer } from './answer.ts';
import { meetClientEpoch } from './client-epoch.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { entryJson } from './entry-json.ts';
import { type Exchange, holdBytes } from './exchange.ts';
import type { HttpOptions } from './http-options.ts';
import { HttpProblem } from './problem.ts';
import { parseNamespaceTarget, rawQuery } from './request-target.ts';
import { streamScan } from './scan-stream.ts';
import type { RangeParameters, ScanParameters } from './schemas.ts';
import { parseQuery } from './validate.ts';

export async function scanKeys(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const name = parseNamespaceTarget(req.url as string);
  const parameters = parseQuery(context.schemas.scanQuery, rawQuery(req.url as string));
  const namespace = context.store.getNamespace(name);
  if (namespace === undefined) {
    throw new HttpProblem('NAMESPACE_NOT_FOUND', `There is no namespace ${JSON.stringify(name)}.`, {
      namespace: name,
    });
  }
  const range = toRange(parameters);
  await meetClientEpoch(exchange);
  if (wantsStream(req.headers.accept, parameters.format)) {
    if (parameters.cursor !== undefined) throw new HttpProblem('BAD_CURSOR', 'A stream takes no cursor.');
    refuseLevels(parameters);
    return streamScan(exchange, name, range, parameters.limit);
  }
  await answerPage(exchange, namespace, range, parameters);
}

async function answerPage(
  exchange: Exchange,
  namespace: Namespace,
  range: ScanRange,
  { cursor, limit: wanted, r, timeoutMs }: ScanParameters,
): Promise<void> {
  const { options, store } = exchange.context;
  const limit = pageLimit(wanted, options);
  const levels = r === undefined && timeoutMs === undefined ? undefined : { r, timeoutMs };
  const after = cursor === undefined ? undefined : readCursor(namespace, range, cursor);
  const page = await store.scan(namespace.name, { ...range, limit, after }, levels);
  const { count, bytes } = fitting(page.entries, options.scanPageBytesMax);
  holdBytes(exchange, bytes);
  const resume = count < page.entries.length ? page.entries[count - 1]?.key : page.resumeAfter;
  const next = resume === undefined ? null : writeCursor(namespace, range, resume);
  const lines = page.entries.slice(0, count).map((entry) => entryJson(entry, range));
  const body = Buffer.from(`{"entries":[${lines.join(',')}],"cursor":${JSON.stringify(next)}}`);
  answer(exchange, 200, ['Content-Type', 'application/json', 'Content-Length', String(body.length)], body);
}

export function pageLimit(wanted: number | undefined, options: HttpOptions): number {
  const limit = wanted ?? options.scanLimitDefault;
  if (limit <= options.scanLimitMax) return limit;
  const detail = `Parameter "limit": at most ${options.scanLimitMax} entries a page.`;
  throw new HttpProblem('BAD_PARAMETER', detail, { parameter: 'limit' });
}

/** A stream reads at quorum and has no end in time. */
function refuseLevels({ r, timeoutMs }: ScanParameters): void {
  const parameter = r !== undefined ? 'r' : timeoutMs !== undefined ? 'timeoutMs' : undefined;
  if (parameter === undefined) return;
  const detail = `Parameter "${parameter}" is for pages; a stream takes none.`;
  throw new HttpProblem('BAD_PARAMETER', detail, { parameter });
}

/** How many entries fit into a page; the first always does. */
export function fitting(
  entries: readonly ScanEntry[],
  bytesMax: number,
): { readonly count: number; readonly bytes: number } {
  let bytes = 0;
  for (const [count, entry] of entries.entries()) {
    const size = entry.key.length + entry.record.value.length;
    if (count > 0 && bytes + size > bytesMax) return { count, bytes };
    bytes += size;
  }
  return { count: entries.length, bytes };
}

export function toRange(parameters: RangeParameters): ScanRange {
  const { prefix, start, end, reverse, values } = parameters;
  return {
    prefix: fromLatin1(prefix),
    start: fromLatin1(start),
    end: fromLatin1(end),
    reverse: reverse === true,
    keysOnly: values === false,
  };
}

/** A plain Uint8Array: `slice` of a Buffer shares its memory, and who changes the slice would change the range. */
function fromLatin1(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : new Uint8Array(Buffer.from(text, 'latin1'));
}

function wantsStream(accept: string | undefined, format: string | undefined): boolean {
  if (format !== undefined) return format === 'ndjson';
  return accept?.includes('application/x-ndjson') === true;
}
