import { KvorumProtocolError } from './errors.ts';

/** Bytes as a call takes them: a string stands for its UTF-8. Keys are 1..1024 bytes. */
export type Bytes = string | Uint8Array;

const KEY_BYTES_MAX = 1024;
const UNESCAPED = /[A-Za-z0-9_~-]/;

/** What each byte becomes in a path or a query. Dots are escaped too, so that no URL code takes `..` for a parent. */
const ESCAPED = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  return UNESCAPED.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

/** Throws TypeError for a string with a lone surrogate: it has no UTF-8, and two such keys would become one. */
export function toBytes(bytes: Bytes): Uint8Array {
  if (typeof bytes !== 'string') return bytes;
  if (!bytes.isWellFormed())
    throw new TypeError('the string has a lone surrogate and therefore no UTF-8 form');
  return Buffer.from(bytes);
}

/** Percent-encodes every byte but letters, digits, `_`, `~` and `-`. */
export function percentEncode(bytes: Bytes): string {
  let text = '';
  for (const byte of toBytes(bytes)) text += ESCAPED[byte];
  return text;
}

/** Throws RangeError for an empty key (its path would be the path of a scan) and for one above 1024 bytes. */
export function checkedKey(key: Bytes): Uint8Array {
  const bytes = toBytes(key);
  if (bytes.length >= 1 && bytes.length <= KEY_BYTES_MAX) return bytes;
  throw new RangeError(`a key has 1..${KEY_BYTES_MAX} bytes, this one has ${bytes.length}`);
}

/** `{ key }` for a string, `{ keyBase64 }` for bytes; the same with `value`. */
export function bytesToJson(name: 'key' | 'value', bytes: Bytes): Record<string, string> {
  if (typeof bytes !== 'string') return { [`${name}Base64`]: Buffer.from(bytes).toString('base64') };
  toBytes(bytes);
  return { [name]: bytes };
}

/** The bytes under `name` or `nameBase64` of a JSON object, undefined where it has neither. */
export function bytesFromJson(name: 'key' | 'value', json: Record<string, unknown>): Uint8Array | undefined {
  const text = json[name];
  if (typeof text === 'string') return Buffer.from(text);
  const base64 = json[`${name}Base64`];
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  if (text === undefined && base64 === undefined) return undefined;
  throw new KvorumProtocolError(`"${name}" of the answer is not a string`);
}
