import { isUtf8 } from 'node:buffer';
import { usageError } from './cli-error.ts';

export const KEY_FORMATS = ['text', 'hex', 'base64'] as const;
export type KeyFormat = (typeof KEY_FORMATS)[number];

const HEX = /^([0-9a-fA-F]{2})+$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A key as it was typed, as bytes. */
export function parseKey(text: string, format: KeyFormat): Uint8Array {
  if (text === '') throw usageError('the key is empty; keys are 1..1024 bytes');
  if (format === 'text') return Buffer.from(text, 'utf8');
  const pattern = format === 'hex' ? HEX : BASE64;
  if (!pattern.test(text)) throw usageError(`'${text}' is not ${format}, which --key-format asks for`);
  return Buffer.from(text, format);
}

/** A key for people. As text, bytes that are no UTF-8 or that would move the cursor are shown as \xNN. */
export function formatKey(key: Uint8Array, format: KeyFormat): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  if (format !== 'text') return bytes.toString(format);
  return isUtf8(bytes) ? visible(bytes.toString('utf8')) : visible(bytes.toString('latin1'), /[^\x20-\x7e]/g);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these must not reach a terminal
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g;

function visible(text: string, hidden = CONTROL): string {
  return text.replace(hidden, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** A value on one line, cut to `charsMax`; bytes that are no text are counted instead. */
export function previewValue(value: Uint8Array, charsMax: number): string {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (!isUtf8(bytes)) return `<${bytes.length} bytes>`;
  const text = visible(bytes.toString('utf8'));
  return text.length > charsMax ? `${text.slice(0, charsMax - 1)}…` : text;
}
