import { compareVersions, formatVersion, type Version } from '../../core/version/version.ts';
import { asBuffer } from '../../storage/checksum.ts';
import type { EngineEntry, KeyRange } from '../../storage/engine.ts';
import { FAMILY, userKeyOf } from '../../storage/key-layout.ts';
import { decodeRecord, type StoredRecord } from '../../storage/record.ts';
import { requireOf } from './violation.ts';

const requireProven = requireOf('below a watermark all replicas are equal');

/** What one replica of a partition has on its disk, by stored keys in hexadecimal. */
export type Contents = {
  readonly who: string;
  readonly watermark: Version;
  readonly records: ReadonlyMap<string, Held>;
};

/** `record` is undefined where it is damaged. */
export type Held = { readonly stored: Buffer; readonly record: StoredRecord | undefined };

/** All data of a partition. */
export function partitionRange(partition: number): KeyRange {
  const [start, end] = [Buffer.alloc(3), Buffer.alloc(4)];
  start[0] = FAMILY.data;
  start.writeUInt16BE(partition, 1);
  end.writeUIntBE(FAMILY.data * 0x10000 + partition + 1, 0, 3);
  return { start, end: end.subarray(0, 3) };
}

export function partitionOfKey(storedKey: Uint8Array): number {
  return asBuffer(storedKey).readUInt16BE(1);
}

export function readContents(who: string, watermark: Version, entries: Iterable<EngineEntry>): Contents {
  const records = new Map<string, Held>();
  for (const { key, value } of entries) records.set(asBuffer(key).toString('hex'), readHeld(key, value));
  return { who, watermark, records };
}

export function readHeld(key: Uint8Array, value: Uint8Array): Held {
  const stored = asBuffer(value);
  try {
    return { stored, record: decodeRecord(key, value, userKeyOf(key)) };
  } catch {
    return { stored, record: undefined };
  }
}

/** Whether a replica with that watermark may have removed the record: a tombstone, or one that had expired by then. */
export function isCollectable(
  { version, isTombstone, expiresAtMs }: StoredRecord,
  watermark: Version,
): boolean {
  if (compareVersions(version, watermark) > 0) return false;
  return isTombstone || (expiresAtMs !== undefined && expiresAtMs <= watermark.wallMs);
}

/** What the replicas of a partition do not have in common, byte for byte; undefined where they are equal. */
export function findDifference(replicas: readonly Contents[]): string | undefined {
  const watermark = replicas.map((each) => each.watermark).reduce(max);
  for (const key of allKeys(replicas)) {
    const seen = new Map<string, string[]>();
    for (const { who, records } of replicas) {
      const held = records.get(key);
      const isGone = held?.record !== undefined && isCollectable(held.record, watermark);
      const text = held === undefined || isGone ? '' : held.stored.toString('hex');
      seen.set(text, [...(seen.get(text) ?? []), `${who}: ${describe(held)}`]);
    }
    if (seen.size > 1) return `key ${textOf(key)}: ${[...seen.values()].flat().join(', ')}`;
  }
  return undefined;
}

/**
 * At all times from a watermark on: a value at or below it is held by every replica, or replaced by a newer record; what may be
 * collected is held, replaced, or was collected by a replica whose own watermark allows it.
 */
export function requireProvenBelow(
  watermark: Version,
  partition: number,
  replicas: readonly Contents[],
): void {
  for (const { who, records } of replicas)
    for (const [key, { record }] of records) {
      if (record === undefined || compareVersions(record.version, watermark) > 0) continue;
      for (const other of replicas) {
        const theirs = other.records.get(key);
        const isHeld =
          theirs === undefined
            ? isCollectable(record, other.watermark)
            : theirs.record === undefined || compareVersions(theirs.record.version, record.version) >= 0;
        requireProven(
          isHeld,
          () =>
            `partition ${partition}, key ${textOf(key)}: under the watermark ${formatVersion(watermark)} ` +
            `${who} holds ${describe({ record })} and ${other.who} ${describe(theirs)}`,
        );
      }
    }
}

function allKeys(replicas: readonly Contents[]): Set<string> {
  return new Set(replicas.flatMap(({ records }) => [...records.keys()]));
}

const max = (a: Version, b: Version): Version => (compareVersions(a, b) >= 0 ? a : b);
const textOf = (hex: string): string =>
  JSON.stringify(Buffer.from(userKeyOf(Buffer.from(hex, 'hex'))).toString());

function describe(held: Pick<Held, 'record'> | undefined): string {
  if (held === undefined) return 'nothing';
  if (held.record === undefined) return 'a damaged record';
  const { version, isTombstone, expiresAtMs, value } = held.record;
  const kind = isTombstone ? 'a tombstone' : `"${Buffer.from(value).toString().slice(0, 24)}"`;
  return `${kind} of ${formatVersion(version)}${expiresAtMs === undefined ? '' : ` until ${expiresAtMs}`}`;
}
