import type { EngineOperation } from '../../storage/engine.ts';
import type { WriteGroup } from '../../storage/group-commit.ts';
import { visitEntries } from '../../storage/packed-entries.ts';

/**
 * How groups travel between the threads: packed into one ArrayBuffer that is transferred, since cloning 64 small
 * arrays costs more than the fsync they share.
 *
 *     operation: type (1 byte), length of the key, length of the value (4 bytes each, little-endian), key, value;
 *                of entries to put no key, and for a value what `packed-entries.ts` says
 *     key, value: length (4 bytes), bytes; a value's length may be one of the two marks below
 */
const TYPES = { put: 0, delete: 1, 'delete-range': 2, 'put-entries': 3 } as const;
const HEADER_BYTES = 9;
const ABSENT = 0xffff_ffff;
const LEFT_OUT = 0xffff_fffe;

/** Writes the operations of `group` into `buffer`, which must have room for `group.bytes`. */
export function packGroup(group: WriteGroup, buffer: ArrayBuffer): void {
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  let at = 0;
  for (const batch of group.batches) {
    for (const operation of batch) {
      const [first, second] = partsOf(operation);
      view.setUint8(at, TYPES[operation.type]);
      view.setUint32(at + 1, first.length, true);
      view.setUint32(at + 5, second.length, true);
      bytes.set(first, at + HEADER_BYTES);
      bytes.set(second, at + HEADER_BYTES + first.length);
      at += HEADER_BYTES + first.length + second.length;
    }
  }
}

const NOTHING = new Uint8Array();

function partsOf(operation: EngineOperation): readonly [Uint8Array, Uint8Array] {
  switch (operation.type) {
    case 'put':
      return [operation.key, operation.value];
    case 'put-entries':
      return [NOTHING, operation.entries.bytes];
    case 'delete':
      return [operation.key, NOTHING];
    case 'delete-range':
      return [operation.start, operation.end];
  }
}

/** Called for each packed operation with its type, and its key and value, or its start and end; of entries to put for each. */
export type OperationVisitor = (
  type: 'put' | 'delete' | 'delete-range',
  first: Uint8Array,
  second: Uint8Array,
) => void;

export function unpackGroup(buffer: ArrayBuffer, operations: number, visit: OperationVisitor): void {
  const view = new DataView(buffer);
  let at = 0;
  for (let i = 0; i < operations; i++) {
    const type = view.getUint8(at);
    const firstBytes = view.getUint32(at + 1, true);
    const secondBytes = view.getUint32(at + 5, true);
    at += HEADER_BYTES;
    const first = new Uint8Array(buffer, at, firstBytes);
    const second = new Uint8Array(buffer, at + firstBytes, secondBytes);
    if (type === TYPES['put-entries']) visitEntries(second, (key, value) => visit('put', key, value));
    else visit(type === TYPES.put ? 'put' : type === TYPES.delete ? 'delete' : 'delete-range', first, second);
    at += firstBytes + secondBytes;
  }
}

/** undefined: no such key; null: left out since the answer was large enough. */
export type FoundValue = Uint8Array | undefined | null;

export function packKeys(keys: readonly Uint8Array[]): ArrayBuffer {
  return packParts(keys);
}

export function unpackKeys(buffer: ArrayBuffer, count: number): Uint8Array[] {
  return unpackParts(buffer, count, (at, length) => new Uint8Array(buffer, at, length)) as Uint8Array[];
}

export function packValues(values: readonly FoundValue[]): ArrayBuffer {
  return packParts(values);
}

/** Copies each value out, so that a small one does not keep its whole answer in memory. */
export function unpackValues(buffer: ArrayBuffer, count: number): FoundValue[] {
  const bytes = new Uint8Array(buffer);
  return unpackParts(buffer, count, (at, length) => bytes.slice(at, at + length));
}

function packParts(parts: readonly FoundValue[]): ArrayBuffer {
  let size = 0;
  for (const part of parts) size += 4 + (part?.length ?? 0);
  const buffer = new ArrayBuffer(size);
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part === undefined ? ABSENT : part === null ? LEFT_OUT : part.length, true);
    if (part) bytes.set(part, at + 4);
    at += 4 + (part?.length ?? 0);
  }
  return buffer;
}

function unpackParts(
  buffer: ArrayBuffer,
  count: number,
  take: (at: number, length: number) => Uint8Array,
): FoundValue[] {
  const view = new DataView(buffer);
  const parts: FoundValue[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const length = view.getUint32(at, true);
    at += 4;
    if (length === ABSENT) parts.push(undefined);
    else if (length === LEFT_OUT) parts.push(null);
    else {
      parts.push(take(at, length));
      at += length;
    }
  }
  return parts;
}
