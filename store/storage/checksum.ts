import { crc32 } from 'node:zlib';

/**
 * The envelope of every stored value: format (u8), CRC-32 (u32), payload. The checksum covers the key, the format
 * and the payload, so that a value under another key's name is found out too.
 */
export const ENVELOPE_BYTES = 5;
export const STORAGE_FORMAT = 1;

export type Opened =
  | { readonly type: 'intact' }
  | { readonly type: 'unknown-format'; readonly format: number }
  | { readonly type: 'damaged' };

/** Fills the envelope at the head of `value`, whose payload begins at ENVELOPE_BYTES. */
export function seal(key: Uint8Array, value: Buffer, format = STORAGE_FORMAT): void {
  value[0] = format;
  value.writeUInt32BE(checksum(key, 0, key.length, value, 0, value.length), 1);
}

/**
 * Says whether `value` is what was sealed under `key`. Every format has this envelope, so that what a newer version wrote
 * can be told from damage to the format itself.
 */
export function open(key: Uint8Array, value: Buffer): Opened {
  return opened(key, 0, key.length, value, 0, value.length);
}

/** As `open`, of a key and its value behind it, where they lie in `bytes`. */
export function openAt(bytes: Buffer, keyStart: number, valueStart: number, end: number): Opened {
  return opened(bytes, keyStart, valueStart, bytes, valueStart, end);
}

function opened(
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  value: Buffer,
  start: number,
  end: number,
): Opened {
  if (end - start < ENVELOPE_BYTES) return { type: 'damaged' };
  if (value.readUInt32BE(start + 1) !== checksum(key, keyStart, keyEnd, value, start, end))
    return { type: 'damaged' };
  const format = value[start] as number;
  return format === STORAGE_FORMAT ? { type: 'intact' } : { type: 'unknown-format', format };
}

/** CRC-32 of the payload, started with a hash of the key and the format: one call into native code. */
function checksum(
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  value: Buffer,
  start: number,
  end: number,
): number {
  const format = value[start] as number;
  return crc32(value.subarray(start + ENVELOPE_BYTES, end), hashOf(key, keyStart, keyEnd, format));
}

/** FNV-1a (Fowler, Noll, Vo), 32 bits, of start <= byte < end, with `seed` mixed in first. */
function hashOf(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = Math.imul(0x811c9dc5 ^ seed, 0x01000193);
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash >>> 0;
}

/** A Buffer over the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
