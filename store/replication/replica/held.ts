import { type EntryHash, hashEntry, type KeyHash } from '../../core/merkle/entry-hash.ts';
import type { Version } from '../../core/version/version.ts';
import { expiryKey, type RecordAddress, tombstoneKey } from '../../storage/key-layout.ts';
import { decodeHead, decodeRecord, type StoredRecord } from '../../storage/record.ts';

/** What is known of a record without its value. */
export type Held = {
  readonly version: Version;
  readonly isTombstone: boolean;
  /** Milliseconds since 1970; undefined means never. */
  readonly expiresAtMs: number | undefined;
};

/** The record, or undefined where it is damaged; who sealed it may be hostile, so any error counts as damage. */
export function decodeIntact(storedKey: Uint8Array, stored: Uint8Array): StoredRecord | undefined {
  try {
    return decodeRecord(storedKey, stored, storedKey);
  } catch {
    return undefined;
  }
}

/** As `decodeIntact`, of all but the value: what is kept for long must not be a part of a larger buffer. */
export function decodeHeld(storedKey: Uint8Array, stored: Uint8Array): Held | undefined {
  try {
    return decodeHead(storedKey, stored, storedKey);
  } catch {
    return undefined;
  }
}

export function entryHashOf(key: KeyHash, held: Held | undefined): EntryHash | undefined {
  return held === undefined ? undefined : hashEntry(key, held.version, held.isTombstone);
}

/** The index entry that is written and deleted together with the record. */
export function indexKeyOf(address: RecordAddress, held: Held): Uint8Array | undefined {
  if (held.isTombstone) return tombstoneKey(held.version, address);
  return held.expiresAtMs === undefined ? undefined : expiryKey(held.expiresAtMs, address);
}
