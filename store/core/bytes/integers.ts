/** Unsigned integers, big-endian, of 2 and 4 bytes at `offset`. */

export function readUint16(source: Uint8Array, offset: number): number {
  return ((source[offset] as number) << 8) | (source[offset + 1] as number);
}

export function readUint32(source: Uint8Array, offset: number): number {
  return readUint16(source, offset) * 65_536 + readUint16(source, offset + 2);
}

export function writeUint16(value: number, target: Uint8Array, offset: number): void {
  target[offset] = value >>> 8;
  target[offset + 1] = value;
}

export function writeUint32(value: number, target: Uint8Array, offset: number): void {
  writeUint16(value >>> 16, target, offset);
  writeUint16(value, target, offset + 2);
}
