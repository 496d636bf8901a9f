import { asBuffer } from './checksum.ts';

/** A string that is the same where the bytes are: keys in maps and sets. */
export function keyName(key: Uint8Array): string {
  return asBuffer(key).toString('latin1');
}
