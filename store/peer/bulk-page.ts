import { dataKey, namespaceIdOf, userKeyBytesAt, userKeyOf } from '../storage/key-layout.ts';
import {
  keyAt,
  keyStart,
  openEntries,
  type PackedEntries,
  packEntries,
  valueAt,
  valueStart,
} from '../storage/packed-entries.ts';
import type { KeyAt } from './data-messages.ts';
import { ProtocolError } from './frame.ts';
import { KEY_BYTES_MAX } from './limits.ts';

/** A page of the records of one partition, under the keys under which they are stored, looked at where it lies. */
export type BulkPage = PackedEntries;

export type BulkRecord = KeyAt & {
  /** Sealed, as it is stored. */
  readonly record: Uint8Array;
};

export function packRecords(partition: number, records: readonly BulkRecord[]): Uint8Array {
  return packEntries(
    records.map(({ record, ...at }) => ({ key: dataKey({ partition, ...at }), value: record })),
  );
}

/** Throws ProtocolError for bytes that are no records of that partition. */
export function openPage(packed: Uint8Array, partition: number): BulkPage {
  const page = opened(packed);
  for (let place = 0; place < page.count; place++) {
    const length = userKeyBytesAt(page.bytes, keyStart(page, place), valueStart(page, place), partition);
    if (length === undefined || length > KEY_BYTES_MAX)
      throw new ProtocolError(`a page of partition ${partition} holds a key that is none of it`);
  }
  return page;
}

function opened(packed: Uint8Array): BulkPage {
  try {
    return openEntries(packed);
  } catch (error) {
    throw new ProtocolError((error as RangeError).message);
  }
}

/** The record in that place; its key and its bytes are parts of the page. */
export function recordAt(page: BulkPage, place: number): BulkRecord {
  const storedKey = keyAt(page, place);
  return { namespaceId: namespaceIdOf(storedKey), key: userKeyOf(storedKey), record: valueAt(page, place) };
}

export function recordsOf(page: BulkPage): readonly BulkRecord[] {
  return Array.from({ length: page.count }, (_, place) => recordAt(page, place));
}
