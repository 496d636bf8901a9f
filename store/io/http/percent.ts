import { HttpProblem } from './problem.ts';

const PERCENT = 0x25;
const HASH = 0x23;

/** The bytes that `text`, a part of a request target, stands for. Node hands raw bytes over as latin1. */
export function percentDecode(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (!text.includes('%') && !text.includes('#')) return bytes;
  return bytes.subarray(0, decodeInPlace(bytes, what));
}

/** The same for a query, where `+` is a space as in forms. */
export function queryDecode(text: string, what: string): Buffer {
  const bytes = Buffer.from(text.replaceAll('+', ' '), 'latin1');
  if (!text.includes('%') && !text.includes('#')) return bytes;
  return bytes.subarray(0, decodeInPlace(bytes, what));
}

function decodeInPlace(bytes: Buffer, what: string): number {
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    let byte = bytes[at] as number;
    if (byte === HASH) throw badEncoding(what, at, "an unencoded '#'");
    if (byte === PERCENT) {
      byte = hexDigit(bytes[at + 1]) * 16 + hexDigit(bytes[at + 2]);
      if (!(byte >= 0)) throw badEncoding(what, at, "'%' without two hexadecimal digits");
      at += 2;
    }
    bytes[length++] = byte;
  }
  return length;
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return Number.NaN;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : Number.NaN;
}

function badEncoding(what: string, at: number, found: string): HttpProblem {
  const code = what === 'key' ? 'BAD_KEY_ENCODING' : 'BAD_PARAMETER';
  return new HttpProblem(code, `The ${what} has ${found} at character ${at}.`, { position: at });
}
