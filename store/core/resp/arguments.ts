const NAME_BYTES_MAX = 64;
const INT64_DIGITS_MAX = 19;

/** The name of a command, or of an option, in lower case; bytes outside ASCII stay what they are in latin1. */
export function lowerName(bytes: Uint8Array): string {
  let name = '';
  const length = Math.min(bytes.length, NAME_BYTES_MAX + 1);
  for (let i = 0; i < length; i++) {
    const byte = bytes[i] as number;
    name += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);
  }
  return name;
}

/**
 * A whole number as Redis reads it: no blanks, no plus, no leading zeros, within 64 bits. Undefined where it is something else. What is
 * beyond 2^53 is rounded: it is out of every range here.
 */
export function wholeNumber(bytes: Uint8Array): number | undefined {
  const isNegative = bytes[0] === 0x2d;
  const first = isNegative ? 1 : 0;
  const digits = bytes.length - first;
  if (digits < 1 || digits > INT64_DIGITS_MAX) return undefined;
  if (bytes[first] === 0x30) return digits === 1 && !isNegative ? 0 : undefined;
  let value = 0n;
  for (let at = first; at < bytes.length; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10n + BigInt(digit);
  }
  const max = isNegative ? 1n << 63n : (1n << 63n) - 1n;
  if (value > max) return undefined;
  return Number(isNegative ? -value : value);
}

/** Text for people of bytes of any kind, at most `charactersMax` long: what would break a line is a question mark. */
export function printable(bytes: Uint8Array, charactersMax: number): string {
  let text = '';
  for (let i = 0; i < Math.min(bytes.length, charactersMax); i++) {
    const byte = bytes[i] as number;
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?';
  }
  return text;
}
