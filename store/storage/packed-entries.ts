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
const PACKED_BYTES_MIN = 4096;

/** Makes one run of bytes after another in memory that is used again; what was added is copied at once. */
export class EntryPacker {
  readonly #keptBytesMax: number;
  #packed = new Uint8Array(PACKED_BYTES_MIN);
  #length = 0;

  /** Memory beyond `keptBytesMax` is not kept for the next run. */
  constructor({ keptBytesMax }: { readonly keptBytesMax: number }) {
    this.#keptBytesMax = keptBytesMax;
  }

  /** Of what was added, with its headers. */
  get byteLength(): number {
    return this.#length;
  }

  add(key: Uint8Array, value: Uint8Array): void {
    const at = this.#length;
    const keyStart = at + HEADER_BYTES;
    const keyEnd = keyStart + key.length;
    this.#length = keyEnd + value.length;
    if (this.#length > this.#packed.length) this.#grow();
    const packed = this.#packed;
    packed[at] = key.length >>> 8;
    packed[at + 1] = key.length;
    packed[at + 2] = value.length >>> 24;
    packed[at + 3] = value.length >>> 16;
    packed[at + 4] = value.length >>> 8;
    packed[at + 5] = value.length;
    packed.set(key, keyStart);
    packed.set(value, keyEnd);
  }

  /** What was added, in memory of its own; the packer is empty then. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#packed.slice(0, this.#length);
    this.#length = 0;
    if (this.#packed.length > this.#keptBytesMax) this.#packed = new Uint8Array(PACKED_BYTES_MIN);
    return bytes;
  }

  #grow(): void {
    const larger = new Uint8Array(Math.max(2 * this.#packed.length, this.#length));
    larger.set(this.#packed);
    this.#packed = larger;
  }
}

export function packEntries(entries: readonly EngineEntry[]): Uint8Array<ArrayBuffer> {
  const packer = new EntryPacker({ keptBytesMax: 0 });
  for (const { key, value } of entries) packer.add(key, value);
  return packer.take();
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
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function valueLengthAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  return high * 65_536 + (((bytes[at + 4] as number) << 8) | (bytes[at + 5] as number));
}
