import { successor } from '../core/bytes/bytes.ts';
import { readUint16, readUint32 } from '../core/bytes/integers.ts';
import { VERSION_BYTES, type Version, writeVersion } from '../core/version/version.ts';
import type { KeyRange } from './engine.ts';

/**
 * Where things lie in the engine; the grammar is docs/storage-format.md. The first byte is the family. Data is
 * ordered by partition first, so that a partition is one range to copy, to compare and to delete.
 */
export const FAMILY = {
  meta: 0x00,
  raft: 0x01,
  data: 0x02,
  expiry: 0x03,
  tombstone: 0x04,
  hint: 0x05,
} as const;

/** Bytes before the user's key in a data key: family, partition (u16), namespace (u32). */
export const DATA_PREFIX_BYTES = 7;
const EXPIRY_PREFIX_BYTES = 1 + 6;
const TOMBSTONE_PREFIX_BYTES = 1 + 2 + VERSION_BYTES;
const HINT_PREFIX_BYTES = 1 + 4;

/** The address of a record: what a data key says. */
export type RecordAddress = {
  readonly partition: number;
  readonly namespaceId: number;
  readonly key: Uint8Array;
};

export function metaKey(name: string): Uint8Array {
  return Buffer.concat([Buffer.of(FAMILY.meta), Buffer.from(name)]);
}

/** All meta keys that begin with `name`. */
export function metaRange(name: string): KeyRange {
  return { start: metaKey(name), end: Buffer.concat([metaKey(name), Buffer.of(0xff)]) };
}

export function dataKey(address: RecordAddress): Uint8Array {
  const bytes = Buffer.allocUnsafe(DATA_PREFIX_BYTES + address.key.length);
  writeAddress(address, bytes, 0, FAMILY.data);
  return bytes;
}

/** The user's key within a data key. */
export function userKeyOf(storedKey: Uint8Array): Uint8Array {
  return storedKey.subarray(DATA_PREFIX_BYTES);
}

/** How long the user's key is in a data key of that partition; undefined where the bytes there are none. */
export function userKeyBytesAt(
  bytes: Uint8Array,
  start: number,
  end: number,
  partition: number,
): number | undefined {
  const length = end - start - DATA_PREFIX_BYTES;
  const isInPlace = bytes[start] === FAMILY.data && readUint16(bytes, start + 1) === partition;
  return isInPlace && length > 0 ? length : undefined;
}

/** The partition that a data key lies in. */
export function partitionAt(storedKey: Uint8Array): number {
  return readUint16(storedKey, 1);
}

/** The namespace that the data key at `start` belongs to. */
export function namespaceIdOf(bytes: Uint8Array, start = 0): number {
  return readUint32(bytes, start + 3);
}

/** The part of a partition's namespace with start <= key < end; an undefined end is the namespace's end. */
export function dataRange(
  partition: number,
  namespaceId: number,
  start: Uint8Array | undefined,
  end: Uint8Array | undefined,
): KeyRange {
  const empty = new Uint8Array();
  return {
    start: dataKey({ partition, namespaceId, key: start ?? empty }),
    end: dataKey(
      end ? { partition, namespaceId, key: end } : { partition, namespaceId: namespaceId + 1, key: empty },
    ),
  };
}

/** The expiry index: ordered by time, names the record that may have expired. */
export function expiryKey(expiresAtMs: number, address: RecordAddress): Uint8Array {
  const bytes = Buffer.allocUnsafe(EXPIRY_PREFIX_BYTES + DATA_PREFIX_BYTES - 1 + address.key.length);
  bytes[0] = FAMILY.expiry;
  bytes.writeUIntBE(expiresAtMs, 1, 6);
  return writeAddress(address, bytes, EXPIRY_PREFIX_BYTES - 1, undefined);
}

/** The tombstone index: a partition's tombstones by version, so that those below a watermark are one range. */
export function tombstoneKey(version: Version, address: RecordAddress): Uint8Array {
  const bytes = Buffer.allocUnsafe(TOMBSTONE_PREFIX_BYTES + 4 + address.key.length);
  bytes[0] = FAMILY.tombstone;
  bytes.writeUInt16BE(address.partition, 1);
  writeVersion(version, bytes, 3);
  bytes.writeUInt32BE(address.namespaceId, TOMBSTONE_PREFIX_BYTES);
  bytes.set(address.key, TOMBSTONE_PREFIX_BYTES + 4);
  return bytes;
}

/** The data key of the record that an index key names. */
export function indexedDataKey(indexKey: Uint8Array): Uint8Array {
  const bytes = Buffer.from(indexKey.buffer, indexKey.byteOffset, indexKey.byteLength);
  if (bytes[0] === FAMILY.expiry)
    return Buffer.concat([Buffer.of(FAMILY.data), bytes.subarray(EXPIRY_PREFIX_BYTES)]);
  return Buffer.concat([
    Buffer.of(FAMILY.data),
    bytes.subarray(1, 3),
    bytes.subarray(TOMBSTONE_PREFIX_BYTES),
  ]);
}

/** Index entries of all records that expire. */
export const EXPIRY_RANGE: KeyRange = {
  start: Uint8Array.of(FAMILY.expiry),
  end: Uint8Array.of(FAMILY.expiry + 1),
};

/** Index entries of all records that expired at or before `nowMs`. */
export function expiredRange(nowMs: number): KeyRange {
  const end = Buffer.alloc(EXPIRY_PREFIX_BYTES);
  end[0] = FAMILY.expiry;
  end.writeUIntBE(nowMs + 1, 1, 6);
  return { start: Uint8Array.of(FAMILY.expiry), end };
}

/** Index entries of all tombstones. */
export const TOMBSTONE_RANGE: KeyRange = {
  start: Uint8Array.of(FAMILY.tombstone),
  end: Uint8Array.of(FAMILY.tombstone + 1),
};

/** A write that is kept for `owner`, which did not confirm it: all that is kept for one owner is one range. */
export function hintKey(owner: number, address: RecordAddress): Uint8Array {
  const bytes = Buffer.allocUnsafe(HINT_PREFIX_BYTES + DATA_PREFIX_BYTES - 1 + address.key.length);
  bytes[0] = FAMILY.hint;
  bytes.writeUInt32BE(owner, 1);
  return writeAddress(address, bytes, HINT_PREFIX_BYTES - 1, undefined);
}

/** Whom a hint is for, and the record that it is a write of. */
export function readHintKey(key: Uint8Array): { readonly owner: number } & RecordAddress {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return {
    owner: bytes.readUInt32BE(1),
    partition: bytes.readUInt16BE(HINT_PREFIX_BYTES),
    namespaceId: bytes.readUInt32BE(HINT_PREFIX_BYTES + 2),
    key: bytes.subarray(HINT_PREFIX_BYTES + DATA_PREFIX_BYTES - 1),
  };
}

/** The hints for one owner. */
export function hintRange(owner: number): KeyRange {
  const start = Buffer.alloc(HINT_PREFIX_BYTES);
  start[0] = FAMILY.hint;
  start.writeUInt32BE(owner, 1);
  const end = Buffer.from(start);
  if (owner === 0xffff_ffff) return { start, end: Uint8Array.of(FAMILY.hint + 1) };
  end.writeUInt32BE(owner + 1, 1);
  return { start, end };
}

/** All hints. */
export const HINT_RANGE: KeyRange = {
  start: Uint8Array.of(FAMILY.hint),
  end: Uint8Array.of(FAMILY.hint + 1),
};

/** What is left of `range` after `key` in the given direction. */
export function rangeAfter(range: KeyRange, key: Uint8Array, reverse: boolean): KeyRange {
  return reverse ? { start: range.start, end: key } : { start: successor(key), end: range.end };
}

function writeAddress(
  address: RecordAddress,
  target: Buffer,
  offset: number,
  family: number | undefined,
): Buffer {
  if (family !== undefined) target[offset] = family;
  target.writeUInt16BE(address.partition, offset + 1);
  target.writeUInt32BE(address.namespaceId, offset + 3);
  target.set(address.key, offset + DATA_PREFIX_BYTES);
  return target;
}
