import { readVersion, VERSION_BYTES, type Version, writeVersion } from '../core/version/version.ts';
import { asBuffer, ENVELOPE_BYTES, open, openAt, seal } from './checksum.ts';
import { KvError } from './errors.ts';

/**
 * What is stored under a data key: a value or a tombstone, with its version. After the envelope: flags (u8),
 * version (12 bytes), expiry (u48, if flagged), content type (u8 length and bytes, if flagged), value.
 */
export type StoredRecord = {
  readonly version: Version;
  readonly isTombstone: boolean;
  /** Milliseconds since 1970; undefined means never. */
  readonly expiresAtMs: number | undefined;
  readonly contentType: string | undefined;
  readonly value: Uint8Array;
};

const FLAG_TOMBSTONE = 1;
const FLAG_EXPIRY = 2;
const FLAG_CONTENT_TYPE = 4;
const FLAGS_AT = ENVELOPE_BYTES;
const VERSION_AT = FLAGS_AT + 1;
const OPTIONS_AT = VERSION_AT + VERSION_BYTES;
const EXPIRY_BYTES = 6;

export function encodeRecord(storedKey: Uint8Array, record: StoredRecord): Uint8Array {
  const { expiresAtMs, value } = record;
  const contentType =
    record.contentType === undefined ? undefined : Buffer.from(record.contentType, 'latin1');
  const expiryBytes = expiresAtMs === undefined ? 0 : EXPIRY_BYTES;
  const contentTypeBytes = contentType === undefined ? 0 : 1 + contentType.length;
  const bytes = Buffer.allocUnsafe(OPTIONS_AT + expiryBytes + contentTypeBytes + value.length);
  bytes[FLAGS_AT] =
    (record.isTombstone ? FLAG_TOMBSTONE : 0) |
    (expiryBytes && FLAG_EXPIRY) |
    (contentTypeBytes && FLAG_CONTENT_TYPE);
  writeVersion(record.version, bytes, VERSION_AT);
  if (expiresAtMs !== undefined) bytes.writeUIntBE(expiresAtMs, OPTIONS_AT, EXPIRY_BYTES);
  if (contentType !== undefined) {
    bytes[OPTIONS_AT + expiryBytes] = contentType.length;
    bytes.set(contentType, OPTIONS_AT + expiryBytes + 1);
  }
  bytes.set(value, OPTIONS_AT + expiryBytes + contentTypeBytes);
  seal(storedKey, bytes);
  return bytes;
}

/** What is said of the value. */
export type RecordHead = Pick<StoredRecord, 'version' | 'isTombstone' | 'expiresAtMs'>;

/** Throws KvError RECORD_CORRUPT, naming `describedKey`, where the bytes are not what was written under `storedKey`. */
export function decodeRecord(
  storedKey: Uint8Array,
  stored: Uint8Array,
  describedKey: Uint8Array,
): StoredRecord {
  const bytes = asBuffer(stored);
  const head = decodeHead(storedKey, bytes, describedKey);
  let at = head.expiresAtMs === undefined ? OPTIONS_AT : OPTIONS_AT + EXPIRY_BYTES;
  let contentType: string | undefined;
  if (((bytes[FLAGS_AT] as number) & FLAG_CONTENT_TYPE) !== 0) {
    const length = bytes[at] as number;
    contentType = bytes.toString('latin1', at + 1, at + 1 + length);
    at += 1 + length;
  }
  return { ...head, contentType, value: bytes.subarray(at) };
}

/** As `decodeRecord`, of all but the value: its checksum is looked at all the same. */
export function decodeHead(storedKey: Uint8Array, stored: Uint8Array, describedKey: Uint8Array): RecordHead {
  const bytes = asBuffer(stored);
  const opened = open(storedKey, bytes);
  if (opened.type === 'unknown-format')
    throw corrupt(describedKey, `has the unknown format ${opened.format}`);
  if (opened.type === 'damaged' || bytes.length < OPTIONS_AT)
    throw corrupt(describedKey, 'fails its checksum');
  return readHead(bytes, 0);
}

/** As `decodeHead`, of a stored key and its record behind it, where they lie in `bytes`; undefined where the record is damaged. */
export function headAt(
  bytes: Buffer,
  keyStart: number,
  recordStart: number,
  end: number,
): RecordHead | undefined {
  if (end - recordStart < OPTIONS_AT) return undefined;
  return openAt(bytes, keyStart, recordStart, end).type === 'intact'
    ? readHead(bytes, recordStart)
    : undefined;
}

function readHead(bytes: Buffer, at: number): RecordHead {
  const flags = bytes[at + FLAGS_AT] as number;
  return {
    version: readVersion(bytes, at + VERSION_AT),
    isTombstone: (flags & FLAG_TOMBSTONE) !== 0,
    expiresAtMs: (flags & FLAG_EXPIRY) === 0 ? undefined : bytes.readUIntBE(at + OPTIONS_AT, EXPIRY_BYTES),
  };
}

/** Whether the record has a time at which it expires, if it is intact: a look at one byte. */
export function hasExpiry(stored: Uint8Array): boolean {
  return ((stored[FLAGS_AT] ?? 0) & FLAG_EXPIRY) !== 0;
}

/** Whether a reader at `nowMs` sees the record; an expired record reads as a tombstone of the same version. */
export function isLive(record: StoredRecord, nowMs: number): boolean {
  return !record.isTombstone && (record.expiresAtMs === undefined || record.expiresAtMs > nowMs);
}

function corrupt(key: Uint8Array, how: string): KvError {
  const printable = Buffer.from(key).toString('utf8');
  return new KvError('RECORD_CORRUPT', `the record of key ${JSON.stringify(printable)} ${how}`, {
    keyBase64: Buffer.from(key).toString('base64'),
  });
}
