import type { Epoch } from '../core/topology/types.ts';
import type { DataReply, ScannedEntry, ScanRequest } from '../peer/data-messages.ts';
import type { Clock } from '../ports/clock.ts';
import type { LocalEntry, LocalScanPage, LocalScanQuery } from '../replication/data-admin.ts';
import type { LocalScanOptions } from '../replication/scan/local-scan.ts';
import { KvError } from '../storage/errors.ts';
import { dataKey } from '../storage/key-layout.ts';
import { decodeRecord, isLive } from '../storage/record.ts';
import { boundsOf } from '../storage/scan.ts';

/** Of one answer to a scan, whatever its asker allows. */
export const SCAN_LIMITS: LocalScanOptions = {
  entriesMax: 20_000,
  bytesMax: 4 << 20,
  examinedBytesMax: 64 << 20,
};

export type ScanOwnDeps = {
  readonly clock: Clock;
  /** Those of which this node is a replica. */
  readonly partitions: readonly { readonly partition: number; readonly epoch: Epoch }[];
  scan(request: ScanRequest): Promise<DataReply>;
};

/** A page of what this node holds itself, whatever the others have. */
export async function scanOwn(
  { clock, partitions, scan }: ScanOwnDeps,
  namespaceId: number,
  query: LocalScanQuery,
): Promise<LocalScanPage> {
  const isReverse = query.reverse === true;
  const entries: LocalEntry[] = [];
  let { after } = query;
  do {
    const reply = await scan({
      ...{ type: 'scan', namespaceId, isReverse },
      ...boundsOf({ ...query, after }, isReverse),
      partitions: partitions.map((each) => ({ ...each, isFull: true })),
      entriesMax: query.limit - entries.length,
      bytesMax: SCAN_LIMITS.bytesMax,
    });
    if (reply.type !== 'scan') throw unreadable(reply);
    for (const entry of reply.entries) {
      const local = localEntry(entry, namespaceId, query, clock.nowMs());
      if (local !== undefined) entries.push(local);
    }
    after = reply.coveredTo;
  } while (entries.length === 0 && after !== undefined);
  return { entries, resumeAfter: after };
}

function unreadable(reply: DataReply): KvError {
  const why = reply.type === 'data-refused' ? reply.message : `answered with ${reply.type}`;
  return new KvError('OVERLOADED', `this node's own data cannot be read now: ${why}; try again`);
}

/** Damaged records are left out: `explain` shows them. */
function localEntry(
  { partition, key, record, isTombstone }: ScannedEntry,
  namespaceId: number,
  { withTombstones, keysOnly }: LocalScanQuery,
  nowMs: number,
): LocalEntry | undefined {
  if (record === undefined) return undefined;
  const stored = decodeRecord(dataKey({ partition, namespaceId, key }), record, key);
  const isExpired = !isTombstone && !isLive(stored, nowMs);
  if ((isTombstone || isExpired) && !withTombstones) return undefined;
  const shown = keysOnly === true ? { ...stored, value: new Uint8Array() } : stored;
  return { key, partition, record: shown, isTombstone, isExpired };
}
