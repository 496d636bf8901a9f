import { createHash } from 'node:crypto';

const HASH_DIGITS = 16;

/** Of the bytes of a file: by it the operator sees that a node has read the file that it wrote. */
export function fileHash(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, HASH_DIGITS);
}
