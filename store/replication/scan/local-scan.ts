import { compareBytes } from '../../core/bytes/bytes.ts';
import { type Epoch, toEpoch } from '../../core/topology/types.ts';
import type { Version } from '../../core/version/version.ts';
import type { DataReply, ScannedEntry, ScanRequest } from '../../peer/data-messages.ts';
import type { Engine, EngineEntry } from '../../storage/engine.ts';
import { KvError } from '../../storage/errors.ts';
import { dataRange, partitionAt, userKeyOf } from '../../storage/key-layout.ts';
import { openMergedScan } from '../../storage/merged-scan.ts';
import { decodeRecord, type StoredRecord } from '../../storage/record.ts';

export type LocalScanOptions = {
  /** Of one answer, whatever the asker allows. */
  readonly entriesMax: number;
  readonly bytesMax: number;
  /** Read from the disk for one answer: the values of entries that are sent without them count as well. */
  readonly examinedBytesMax: number;
};

export type LocalScanDeps = {
  readonly engine: Engine;
  /** Of a partition that is owned and may be served here; undefined: it is not. */
  epochOf(partition: number): Epoch | undefined;
  /** Of any partition, as this member has applied the topology; 0 where it knows none. */
  topologyEpochOf(partition: number): Epoch;
  /** The topology to catch up with `epoch`, within a bound; false where it did not. */
  waitForEpoch(epoch: Epoch): Promise<boolean>;
  /** A record that fails its checksum was met. */
  onCorrupt(storedKey: Uint8Array, error: KvError): void;
};

type ScanReply = Extract<DataReply, { readonly type: 'scan' | 'data-refused' }>;

/**
 * One page of this member's records of the asked partitions, in the order of the user's keys, from one view. The fence of
 * every partition is passed before and after: in between the data may have been deleted, its owner being another.
 */
export async function scanHere(
  request: ScanRequest,
  options: LocalScanOptions,
  deps: LocalScanDeps,
): Promise<ScanReply> {
  const newest = Math.max(0, ...request.partitions.map(({ epoch }) => epoch));
  const isBehind = request.partitions.some(({ partition, epoch }) => epoch > knownEpoch(partition, deps));
  if (isBehind) await deps.waitForEpoch(toEpoch(newest));
  const refusal = fence(request, deps);
  if (refusal !== undefined) return refusal;
  const reply = await read(request, options, deps);
  return fence(request, deps) ?? reply;
}

function fence({ partitions }: ScanRequest, deps: LocalScanDeps): ScanReply | undefined {
  for (const { partition, epoch } of partitions) {
    if (deps.epochOf(partition) === epoch) continue;
    // Also who owns the partition no more tells a late asker so.
    const known = knownEpoch(partition, deps);
    const code = known > epoch ? 'STALE_EPOCH' : known < epoch ? 'EPOCH_UNKNOWN' : 'NOT_OWNER';
    const message = `partition ${partition} was asked for at epoch ${epoch}; this member knows epoch ${known}`;
    return { type: 'data-refused', code, message, epoch: known };
  }
  return undefined;
}

function knownEpoch(partition: number, deps: LocalScanDeps): Epoch {
  return deps.epochOf(partition) ?? deps.topologyEpochOf(partition);
}

async function read(
  request: ScanRequest,
  options: LocalScanOptions,
  deps: LocalScanDeps,
): Promise<ScanReply> {
  const { partitions, namespaceId, start, end, isReverse } = request;
  const entriesMax = Math.min(request.entriesMax, options.entriesMax);
  const bytesMax = Math.min(request.bytesMax, options.bytesMax);
  if (start !== undefined && end !== undefined && compareBytes(start, end) >= 0)
    return { type: 'scan', entries: [], coveredTo: undefined };
  const isFull = new Set(partitions.filter((each) => each.isFull).map(({ partition }) => partition));
  const ranges = partitions.map(({ partition }) => dataRange(partition, namespaceId, start, end));
  const share = Math.ceil(entriesMax / Math.max(1, partitions.length));
  await using view = deps.engine.openView({ reverse: isReverse });
  const buffers = { firstEntries: share + 1, moreEntries: share + 8 };
  const merged = await openMergedScan(view, ranges, { reverse: isReverse, ...buffers });
  const entries: ScannedEntry[] = [];
  let sentBytes = 0;
  let examinedBytes = 0;
  for (;;) {
    const isOver = entries.length >= entriesMax || examinedBytes >= options.examinedBytesMax;
    const next = merged.next();
    const stored = next instanceof Promise ? await next : next;
    if (stored === undefined) return { type: 'scan', entries, coveredTo: undefined };
    const entry = entryOf(stored, isFull.has(partitionAt(stored.key)), deps);
    sentBytes += sizeOf(entry);
    examinedBytes += stored.key.length + stored.value.length;
    // The first one always goes: else a page would never get past a large value.
    if (entries.length > 0 && (isOver || sentBytes > bytesMax))
      return { type: 'scan', entries, coveredTo: (entries.at(-1) as ScannedEntry).key };
    entries.push(entry);
  }
}

/** Of an entry on its way, beside key and record: names, version and times. */
const ENTRY_BYTES = 64;

function sizeOf({ key, record }: ScannedEntry): number {
  return ENTRY_BYTES + key.length + (record?.length ?? 0);
}

/** What is damaged is named without a version, so that its reader asks others for it. */
function entryOf(stored: EngineEntry, isFull: boolean, deps: LocalScanDeps): ScannedEntry {
  const key = userKeyOf(stored.key);
  const partition = partitionAt(stored.key);
  const record = decoded(stored, key, deps);
  if (record === undefined) return { ...DAMAGED, partition, key };
  const { version, isTombstone, expiresAtMs, contentType } = record;
  const known = { partition, key, version, isTombstone, expiresAtMs };
  return isFull
    ? { ...known, contentType: undefined, record: stored.value }
    : { ...known, contentType, record: undefined };
}

export const NO_VERSION: Version = { wallMs: 0, counter: 0, member: 0 };
const DAMAGED = {
  ...{ version: NO_VERSION, isTombstone: false, expiresAtMs: undefined },
  ...{ contentType: undefined, record: undefined },
} as const;

function decoded(stored: EngineEntry, key: Uint8Array, deps: LocalScanDeps): StoredRecord | undefined {
  try {
    return decodeRecord(stored.key, stored.value, key);
  } catch (error) {
    if (!(error instanceof KvError)) throw error;
    deps.onCorrupt(stored.key, error);
    return undefined;
  }
}
