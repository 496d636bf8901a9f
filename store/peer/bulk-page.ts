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
  const packer = new PagePacker();
  for (const { namespaceId, key, record } of records) packer.add(namespaceId, key, record);
  return packer.take();
}

const PACKED_BYTES_MIN = 4096;
/** A packer that grew beyond this gives its memory away with the page. */
const KEPT_BYTES_MAX = 4 << 20;

/** Makes one page after another in memory that is used again; what was added is copied at once. */
export class PagePacker {
  #packed = new Uint8Array(PACKED_BYTES_MIN);
  #length = 0;

  add(namespaceId: number, key: Uint8Array, record: Uint8Array): void {
    const at = this.#length;
    const keyStart = at + HEADER_BYTES;
    const keyEnd = keyStart + key.length;
    this.#length = keyEnd + record.length;
    if (this.#length > this.#packed.length) this.#grow();
    const packed = this.#packed;
    writeUint32(packed, at, namespaceId);
    packed[at + 4] = key.length >>> 8;
    packed[at + 5] = key.length;
    writeUint32(packed, at + 6, record.length);
    packed.set(key, keyStart);
    packed.set(record, keyEnd);
  }

  /** What was added, in memory of its own; the packer is empty then. */
  take(): Uint8Array {
    const length = this.#length;
    this.#length = 0;
    if (this.#packed.length <= KEPT_BYTES_MAX) return this.#packed.slice(0, length);
    const page = this.#packed.subarray(0, length);
    this.#packed = new Uint8Array(PACKED_BYTES_MIN);
    return page;
  }

  #grow(): void {
    const larger = new Uint8Array(Math.max(2 * this.#packed.length, this.#length));
    larger.set(this.#packed);
    this.#packed = larger;
  }
}

/** A page of records, looked at where it lies. */
export type BulkPage = {
  readonly packed: Uint8Array;
  /** Where each record's header begins, and at last where the page ends. */
  readonly starts: readonly number[];
  readonly count: number;
  /** Of all records, without their keys. */
  readonly recordBytes: number;
};

/** Throws ProtocolError for bytes that are no records. */
export function openPage(packed: Uint8Array): BulkPage {
  const starts = [0];
  let recordBytes = 0;
  for (let at = 0; at < packed.length; ) {
    if (packed.length - at < HEADER_BYTES) throw new ProtocolError('a page of records ends within a header');
    const length = readUint32(packed, at + 6);
    recordBytes += length;
    at += HEADER_BYTES + readUint16(packed, at + 4) + length;
    if (at > packed.length) throw new ProtocolError('a page of records ends within a record');
    starts.push(at);
  }
  return { packed, starts, count: starts.length - 1, recordBytes };
}

/** The record in that place; its key and its bytes are parts of the page. */
export function recordAt({ packed, starts }: BulkPage, place: number): BulkRecord {
  const at = starts[place] as number;
  const keyStart = at + HEADER_BYTES;
  const keyEnd = keyStart + readUint16(packed, at + 4);
  return {
    namespaceId: readUint32(packed, at),
    key: packed.subarray(keyStart, keyEnd),
    record: packed.subarray(keyEnd, starts[place + 1]),
  };
}

export function recordsOf(page: BulkPage): readonly BulkRecord[] {
  return Array.from({ length: page.count }, (_, place) => recordAt(page, place));
}

function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function readUint32(bytes: Uint8Array, at: number): number {
  return readUint16(bytes, at) * 65_536 + readUint16(bytes, at + 2);
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
