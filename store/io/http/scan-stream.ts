import type { ScanEntry, ScanRange } from '../../storage/kv-store.ts';
import { CLIENT_GONE, cutWhenStalled, observe } from './answer.ts';
import { entryJson } from './entry-json.ts';
import { type Exchange, overloaded, releaseBytes } from './exchange.ts';
import { hasRoomFor } from './in-flight.ts';

/** Lines are gathered to about this size before they are written. */
const CHUNK_CHARACTERS = 64 * 1024;

/**
 * A whole range, an entry a line, at the pace of its reader. Whatever goes wrong once the first byte is
 * out breaks the connection: a clean end always means that the range was complete.
 */
export async function streamScan(
  exchange: Exchange,
  namespace: string,
  range: ScanRange,
  limit = Number.POSITIVE_INFINITY,
): Promise<void> {
  const { context, res } = exchange;
  if (!hasRoomFor(context.inFlight, 1)) throw overloaded(context);
  const pages = context.store.scanAll(namespace, range);
  let sentBytes = 0;
  try {
    let page = await pages.next(); // before the head: an error here still gets a problem document
    writeHead(exchange);
    for (let left = limit; page.done !== true; page = await pages.next()) {
      sentBytes += await writePage(exchange, page.value.slice(0, left), range);
      left -= page.value.length;
      if (left <= 0 || res.destroyed) break;
    }
  } finally {
    await pages.return();
  }
  res.end();
  observe(exchange, res.destroyed ? CLIENT_GONE : 200, sentBytes);
}

function writeHead({ context, res }: Exchange): void {
  const headers = ['Content-Type', 'application/x-ndjson'];
  if (context.closing.signal.aborted) headers.push('Connection', 'close');
  res.writeHead(200, headers);
}

/** A page counts as held while it is in memory; it may exceed the limit, so that no stream breaks half way. */
async function writePage(exchange: Exchange, page: readonly ScanEntry[], range: ScanRange): Promise<number> {
  const bytes = page.reduce((sum, { key, record }) => sum + key.length + record.value.length, 0);
  exchange.heldBytes += bytes;
  exchange.context.inFlight.bytes += bytes;
  let sentBytes = 0;
  let lines = '';
  for (const [at, entry] of page.entries()) {
    lines += `${entryJson(entry, range)}\n`;
    if (lines.length < CHUNK_CHARACTERS && at < page.length - 1) continue;
    const chunk = Buffer.from(lines);
    sentBytes += chunk.length;
    if (!exchange.res.write(chunk)) await drained(exchange);
    if (exchange.res.destroyed) break;
    lines = '';
  }
  releaseBytes(exchange);
  return sentBytes;
}

/** Resolves when the reader has taken what was written, or is gone. */
function drained(exchange: Exchange): Promise<void> {
  const { res } = exchange;
  if (res.destroyed || res.socket === null || res.socket.destroyed) return Promise.resolve();
  cutWhenStalled(exchange);
  return new Promise((resolve) => {
    const done = (): void => {
      res.off('drain', done);
      res.off('close', done);
      res.removeAllListeners('timeout');
      res.setTimeout(0);
      resolve();
    };
    res.on('drain', done);
    res.on('close', done);
  });
}
