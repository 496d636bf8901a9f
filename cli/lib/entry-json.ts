import { isUtf8 } from 'node:buffer';
import type { Entry, ValueInfo } from '@kvorum/client';

/** `{key: "text"}`, or `{keyBase64: ...}` where the bytes are no UTF-8, as docs/http-api.md has it. */
export function bytesMember(name: 'key' | 'value', value: Uint8Array): Record<string, string> {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return isUtf8(bytes) ? { [name]: bytes.toString('utf8') } : { [`${name}Base64`]: bytes.toString('base64') };
}

export function infoJson(info: ValueInfo): Record<string, string> {
  return {
    version: info.version,
    ...(info.contentType !== undefined && { contentType: info.contentType }),
    ...(info.expiresAt !== undefined && { expiresAt: info.expiresAt.toISOString() }),
  };
}

/** An entry as the export and `scan --output json` write it. */
export function entryJson(entry: Entry): Record<string, string> {
  return {
    ...bytesMember('key', entry.key),
    ...(entry.value !== undefined && bytesMember('value', entry.value)),
    ...infoJson(entry),
  };
}
