const MINUS = 0x2d;
const PLUS = 0x2b;
const ZERO = 0x30;
/** Of any number that stands for a length: far more than is ever allowed. */
const DIGITS_MAX = 15;

/** The whole number in `line` from `from` on; undefined where there is something else, as in Redis: no blanks, no leading zeros. */
export function readLength(line: Uint8Array, from: number): number | undefined {
  const isSigned = line[from] === MINUS || line[from] === PLUS;
  const first = isSigned ? from + 1 : from;
  const digits = line.length - first;
  if (digits < 1 || digits > DIGITS_MAX) return undefined;
  let value = 0;
  for (let at = first; at < line.length; at++) {
    const digit = (line[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return line[from] === MINUS ? -value : value;
}
