import { createHash } from 'node:crypto';
import type { Namespace, ScanRange } from '../../storage/kv-store.ts';
import { HttpProblem } from './problem.ts';

/**
 * A cursor is a version byte, eight bytes of SHA-256 over the scan and the key, and the key, in base64url. It
 * holds no state of the server, and a cursor of another scan, or a damaged one, is refused and not misread.
 */
const CURSOR_VERSION = 1;
const DIGEST_BYTES = 8;

export function writeCursor(namespace: Namespace, range: ScanRange, lastKey: Uint8Array): string {
  const digest = digestOf(namespace, range, lastKey);
  return Buffer.concat([Buffer.from([CURSOR_VERSION]), digest, lastKey]).toString('base64url');
}

/** The key after which the page begins. */
export function readCursor(namespace: Namespace, range: ScanRange, cursor: string): Uint8Array {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.toString('base64url') !== cursor || bytes.length <= 1 + DIGEST_BYTES) {
    throw new HttpProblem('BAD_CURSOR', 'The cursor is damaged.');
  }
  if (bytes[0] !== CURSOR_VERSION) {
    throw new HttpProblem('BAD_CURSOR', 'The cursor was written by another version of Kvorum.');
  }
  const lastKey = bytes.subarray(1 + DIGEST_BYTES);
  if (!digestOf(namespace, range, lastKey).equals(bytes.subarray(1, 1 + DIGEST_BYTES))) {
    throw new HttpProblem('BAD_CURSOR', 'The cursor belongs to a scan with other parameters, or is damaged.');
  }
  return lastKey;
}

function digestOf(namespace: Namespace, range: ScanRange, lastKey: Uint8Array): Buffer {
  const hash = createHash('sha256');
  const flags = [namespace.name, namespace.id, range.reverse === true, range.keysOnly === true];
  hash.update(JSON.stringify(flags));
  for (const part of [range.prefix, range.start, range.end, lastKey]) {
    hash.update(part === undefined ? '-;' : `${part.length};`);
    if (part !== undefined) hash.update(part);
  }
  return hash.digest().subarray(0, DIGEST_BYTES);
}
