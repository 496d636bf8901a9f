import { isUtf8 } from 'node:buffer';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the bytes of ASCII, which need no decoding
const ASCII = /^[\x00-\x7f]*$/;

/** Text of latin1 characters that stand for bytes, as UTF-8; undefined where the bytes are not UTF-8. */
export function decodeUtf8(latin1: string): string | undefined {
  if (ASCII.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}
