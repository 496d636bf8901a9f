import { percentEncode } from './bytes.ts';
import { type Answer, problemOf, toResponseError } from './failure.ts';
import type { Request } from './transport.ts';

export function namespacePath(namespace: string): string {
  return `/v1/kv/${percentEncode(namespace)}`;
}

/** `key` has been checked. */
export function keyPathOf(namespace: string, key: Uint8Array): string {
  return `${namespacePath(namespace)}/${percentEncode(key)}`;
}

export function read(path: string): Request {
  return { method: 'GET', path, isRead: true };
}

/** Whether the answer says with `code` that there is no such thing. Throws KvorumResponseError for every other 404. */
export function isMissing(answer: Answer, code: string): boolean {
  if (answer.status !== 404) return false;
  if (problemOf(answer)?.code === code) return true;
  throw toResponseError(answer, { isRead: true });
}
