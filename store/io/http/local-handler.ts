import { answer } from './answer.ts';
import { readCursor, writeCursor } from './cursor.ts';
import { localEntryJson } from './data-json.ts';
import { type Exchange, holdBytes } from './exchange.ts';
import { parseLocalTarget, rawQuery } from './request-target.ts';
import { dataOf, requireNamespace } from './ring-handlers.ts';
import { fitting, pageLimit, toRange } from './scan-handler.ts';
import { parseQuery } from './validate.ts';

/** A page of what this node itself holds, whatever the other replicas have. */
export async function scanLocal(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const { schemas, options } = context;
  const name = parseLocalTarget(req.url as string);
  const parameters = parseQuery(schemas.localQuery, rawQuery(req.url as string));
  const limit = pageLimit(parameters.limit, options);
  const namespace = requireNamespace(exchange, name);
  const range = toRange(parameters);
  const after = parameters.cursor === undefined ? undefined : readCursor(namespace, range, parameters.cursor);
  const query = { ...range, limit, after, withTombstones: parameters.tombstones === true };
  const page = await dataOf(exchange).scanLocal(name, query);
  const { count, bytes } = fitting(page.entries, options.scanPageBytesMax);
  holdBytes(exchange, bytes);
  const resume = count < page.entries.length ? page.entries[count - 1]?.key : page.resumeAfter;
  const next = resume === undefined ? null : writeCursor(namespace, range, resume);
  const lines = page.entries.slice(0, count).map((entry) => localEntryJson(entry, range));
  const body = Buffer.from(`{"entries":[${lines.join(',')}],"cursor":${JSON.stringify(next)}}`);
  answer(exchange, 200, ['Content-Type', 'application/json', 'Content-Length', String(body.length)], body);
}
