/** Bytes in JSON: text where they are valid UTF-8, else base64. */
import { isUtf8 } from 'node:buffer';

export function bytesField<Name extends string>(name: Name, bytes: Uint8Array): Record<string, string> {
  const buffer = asBuffer(bytes);
  if (isUtf8(buffer)) return { [name]: buffer.toString('utf8') };
  return { [`${name}Base64`]: buffer.toString('base64') };
}

/** Undefined where `text` is not canonical base64: a lenient reading would store other bytes than were meant. */
export function parseBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

export function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
