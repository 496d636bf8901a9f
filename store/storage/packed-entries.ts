import { ByteBuilder } from '../core/bytes/byte-builder.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from '../core/bytes/integers.ts';
import { asBuffer } from './checksum.ts';
import type { EngineEntry, EngineOperation, PlainOperation } from './engine.ts';

/**
 * Entries as one run of bytes: thousands of them cost a thread that reads, sends or writes them as little as the bytes do.
 *
 *     entries = *( keyLength valueLength key value )     ; u16 and u32, big-endian
 */
export type PackedEntries = {
  readonly bytes: Buffer;
  /** Where each entry's header begins, and at last where the bytes end. */
  readonly starts: readonly number[];
  readonly count: number;
  /** Of all values. */
  readonly valueBytes: number;
};

const HEADER_BYTES = 6;

/** Copies an entry behind those that `packed` holds. */
export function packEntry(packed: ByteBuilder, key: Uint8Array, value: Uint8Array): void {
  const at = packed.reserve(HEADER_BYTES);
  writeUint16(key.length, packed.memory, at);
  writeUint32(value.length, packed.memory, at + 2);
  packed.append(key);
  packed.append(value);
}

export function packEntries(entries: readonly EngineEntry[]): Uint8Array<ArrayBuffer> {
  const packed = ByteBuilder.idle();
  for (const { key, value } of entries) packEntry(packed, key, value);
  return packed.takeLast();
}

/** Looks at entries where they lie. Throws RangeError for bytes that are no entries. */
export function openEntries(bytes: Uint8Array): PackedEntries {
  const starts = [0];
  let valueBytes = 0;
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < HEADER_BYTES) throw new RangeError('packed entries end within a header');
    const length = valueLengthAt(bytes, at);
    valueBytes += length;
    at += HEADER_BYTES + keyLengthAt(bytes, at) + length;
    if (at > bytes.length) throw new RangeError('packed entries end within an entry');
    starts.push(at);
  }
  return { bytes: asBuffer(bytes), starts, count: starts.length - 1, valueBytes };
}

/** Where the key in that place begins; its value begins at `valueStart` and ends where the next entry begins. */
export function keyStart({ starts }: PackedEntries, place: number): number {
  return (starts[place] as number) + HEADER_BYTES;
}

export function valueStart({ bytes, starts }: PackedEntries, place: number): number {
  const at = starts[place] as number;
  return at + HEADER_BYTES + keyLengthAt(bytes, at);
}

/** The key in that place, a part of the bytes. */
export function keyAt(entries: PackedEntries, place: number): Buffer {
  return entries.bytes.subarray(keyStart(entries, place), valueStart(entries, place));
}

/** The value in that place, a part of the bytes. */
export function valueAt(entries: PackedEntries, place: number): Buffer {
  return entries.bytes.subarray(valueStart(entries, place), entries.starts[place + 1]);
}

/** Calls `visit` with each entry's key and value, parts of `bytes`. */
export function visitEntries(bytes: Uint8Array, visit: (key: Uint8Array, value: Uint8Array) => void): void {
  for (let at = 0; at < bytes.length; ) {
    const keyStart = at + HEADER_BYTES;
    const keyEnd = keyStart + keyLengthAt(bytes, at);
    const end = keyEnd + valueLengthAt(bytes, at);
    visit(bytes.subarray(keyStart, keyEnd), bytes.subarray(keyEnd, end));
    at = end;
  }
}

/** What a batch comes to, with a put for each entry: for whoever has no quicker way. */
export function* plainOperations(batch: readonly EngineOperation[]): Generator<PlainOperation, void, void> {
  for (const operation of batch) {
    if (operation.type !== 'put-entries') yield operation;
    else
      for (let place = 0; place < operation.entries.count; place++)
        yield { type: 'put', key: keyAt(operation.entries, place), value: valueAt(operation.entries, place) };
  }
}

function keyLengthAt(bytes: Uint8Array, at: number): number {
  return readUint16(bytes, at);
}

function valueLengthAt(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at + 2);
}
