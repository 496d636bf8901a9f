import type { KeyAt } from './data-messages.ts';
import { ProtocolError } from './frame.ts';

/**
 * Records of one partition as one run of bytes: thousands of them cost a member that reads or writes them as little as the
 * bytes do. Grammar in docs/protocol.md.
 */
export type BulkRecord = KeyAt & {
  /** Sealed, as it is stored. */
  readonly record: Uint8Array;
};

/** Namespace (u32), length of the key (u16), length of the record (u32). */
const HEADER_BYTES = 10;

export function packRecords(records: readonly BulkRecord[]): Uint8Array {
  let bytes = 0;
  for (const { key, record } of records) bytes += HEADER_BYTES + key.length + record.length;
  const packed = new Uint8Array(bytes);
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const { namespaceId, key, record } of records) {
    view.setUint32(at, namespaceId);
    view.setUint16(at + 4, key.length);
    view.setUint32(at + 6, record.length);
    packed.set(key, at + HEADER_BYTES);
    packed.set(record, at + HEADER_BYTES + key.length);
    at += HEADER_BYTES + key.length + record.length;
  }
  return packed;
}

/** Keys and records are parts of `packed`. Throws ProtocolError for bytes that are no records. */
export function unpackRecords(packed: Uint8Array): readonly BulkRecord[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const records: BulkRecord[] = [];
  for (let at = 0; at < packed.length; ) {
    if (packed.length - at < HEADER_BYTES) throw new ProtocolError('a page of records ends within a header');
    const keyStart = at + HEADER_BYTES;
    const keyEnd = keyStart + view.getUint16(at + 4);
    const recordEnd = keyEnd + view.getUint32(at + 6);
    if (recordEnd > packed.length) throw new ProtocolError('a page of records ends within a record');
    const key = packed.subarray(keyStart, keyEnd);
    records.push({ namespaceId: view.getUint32(at), key, record: packed.subarray(keyEnd, recordEnd) });
    at = recordEnd;
  }
  return records;
}
