import { readVersion, VERSION_BYTES, type Version, writeVersion } from '../../core/version/version.ts';
import { asBuffer, ENVELOPE_BYTES, open, seal } from '../../storage/checksum.ts';

/** What is stored under a hint key (docs/storage-format.md): when it was kept, of which version, and the sealed record. */
export type StoredHint = {
  /** Wall time, milliseconds since 1970. */
  readonly keptAtMs: number;
  readonly version: Version;
  readonly record: Uint8Array;
};

const KEPT_AT = ENVELOPE_BYTES;
const VERSION_AT = KEPT_AT + 6;
const RECORD_AT = VERSION_AT + VERSION_BYTES;

export function encodeHint(key: Uint8Array, { keptAtMs, version, record }: StoredHint): Uint8Array {
  const bytes = Buffer.allocUnsafe(RECORD_AT + record.length);
  bytes.writeUIntBE(Math.max(0, keptAtMs), KEPT_AT, 6);
  writeVersion(version, bytes, VERSION_AT);
  bytes.set(record, RECORD_AT);
  seal(key, bytes);
  return bytes;
}

/** Undefined where the bytes are not what was written under `key`: a damaged hint is no hint. */
export function decodeHint(key: Uint8Array, stored: Uint8Array): StoredHint | undefined {
  const bytes = asBuffer(stored);
  if (open(key, bytes).type !== 'intact' || bytes.length < RECORD_AT) return undefined;
  return {
    keptAtMs: bytes.readUIntBE(KEPT_AT, 6),
    version: readVersion(bytes, VERSION_AT),
    record: bytes.subarray(RECORD_AT),
  };
}
