import { compareBytes, prefixEnd, successor } from '../core/bytes/bytes.ts';
import { type DataAccess, namespaceRanges } from './data-access.ts';
import type { EngineEntry, EngineView } from './engine.ts';
import { userKeyOf } from './key-layout.ts';
import type { Namespace, ScanEntry, ScanPage, ScanQuery, ScanRange } from './kv-store.ts';
import { type MergedScan, openMergedScan } from './merged-scan.ts';
import { decodeRecord, isLive } from './record.ts';

/** One page: live records in key order, within the limits of entries, bytes and records looked at. */
export async function scanPage(
  access: DataAccess,
  namespace: Namespace,
  query: ScanQuery,
): Promise<ScanPage> {
  const { scanExaminedMax, scanPageBytesMax } = access.options;
  await using view = access.openView({ reverse: query.reverse === true });
  const share = Math.ceil(query.limit / access.options.partitions);
  const merged = await openScan(access, view, namespace, query, {
    firstEntries: share + 1,
    moreEntries: share + 8,
  });
  const entries: ScanEntry[] = [];
  let bytes = 0;
  for (let examined = 0; examined < scanExaminedMax; examined++) {
    const next = merged.next();
    const stored = next instanceof Promise ? await next : next;
    if (stored === undefined) return { entries, resumeAfter: undefined };
    const entry = liveEntry(access, stored, query.keysOnly === true);
    if (entry !== undefined) {
      entries.push(entry);
      bytes += entry.key.length + entry.record.value.length;
    }
    const isFull =
      entries.length === query.limit || bytes >= scanPageBytesMax || examined + 1 === scanExaminedMax;
    if (isFull) return { entries, resumeAfter: Buffer.from(userKeyOf(stored.key)) };
  }
  return { entries, resumeAfter: undefined };
}

/** All of a range, a batch of entries at a time, from one view. */
export async function* scanAll(
  access: DataAccess,
  namespace: Namespace,
  query: ScanRange,
): AsyncGenerator<readonly ScanEntry[], void, void> {
  await using view = access.openView({ reverse: query.reverse === true });
  const merged = await openScan(access, view, namespace, query, STREAM_BUFFERS);
  let entries: ScanEntry[] = [];
  let bytes = 0;
  for (;;) {
    const next = merged.next();
    const stored = next instanceof Promise ? await next : next;
    if (stored === undefined) break;
    const entry = liveEntry(access, stored, query.keysOnly === true);
    if (entry === undefined) continue;
    entries.push(entry);
    bytes += entry.key.length + entry.record.value.length;
    if (entries.length < STREAMED_AT_ONCE && bytes < STREAMED_BYTES_AT_ONCE) continue;
    yield entries;
    entries = [];
    bytes = 0;
  }
  if (entries.length > 0) yield entries;
}

const STREAMED_AT_ONCE = 1000;
/** Entries that are read ahead of each partition; their bytes are bounded by the merged scan. */
const STREAM_BUFFERS = { firstEntries: 8, moreEntries: 48 };
const STREAMED_BYTES_AT_ONCE = 262_144;

function openScan(
  access: DataAccess,
  view: EngineView,
  namespace: Namespace,
  query: ScanRange & { readonly after?: Uint8Array | undefined },
  buffers: { readonly firstEntries: number; readonly moreEntries: number },
): Promise<MergedScan> {
  const reverse = query.reverse === true;
  const bounds = boundsOf(query, reverse);
  const ranges = namespaceRanges(access, namespace, bounds.start, bounds.end);
  return openMergedScan(view, ranges, { reverse, ...buffers });
}

/** start, end, prefix and the page before, as one range of keys. */
export function boundsOf(
  query: ScanRange & { readonly after?: Uint8Array | undefined },
  reverse: boolean,
): { readonly start: Uint8Array | undefined; readonly end: Uint8Array | undefined } {
  const { prefix, after } = query;
  const starts = [query.start, prefix, !reverse && after ? successor(after) : undefined];
  const ends = [query.end, prefix && prefixEnd(prefix), reverse ? after : undefined];
  return { start: extreme(starts, 1), end: extreme(ends, -1) };
}

/** The greatest (sign 1) or smallest (sign -1) of the bounds that are there. */
function extreme(bounds: readonly (Uint8Array | undefined)[], sign: 1 | -1): Uint8Array | undefined {
  let best: Uint8Array | undefined;
  for (const bound of bounds) {
    if (bound !== undefined && (best === undefined || compareBytes(bound, best) * sign > 0)) best = bound;
  }
  return best;
}

function liveEntry(access: DataAccess, stored: EngineEntry, keysOnly: boolean): ScanEntry | undefined {
  const key = userKeyOf(stored.key);
  const record = decodeRecord(stored.key, stored.value, key);
  if (!isLive(record, access.deps.clock.nowMs())) return undefined;
  return { key, record: keysOnly ? { ...record, value: NO_VALUE } : record };
}

const NO_VALUE = new Uint8Array();
