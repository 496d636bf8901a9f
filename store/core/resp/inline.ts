import { RequestProtocolError } from './protocol-error.ts';

/**
 * An inline command: words between blanks. Within "double quotes" \n \r \t \b \a \xHH and \ before any other byte are escapes; within
 * 'single quotes' only \' is. Behind a closing quote comes a blank or the end.
 */
export function splitInline(line: Uint8Array): Uint8Array[] {
  const words: Uint8Array[] = [];
  let at = skipBlanks(line, 0);
  while (at < line.length) {
    const word: number[] = [];
    at = readWord(line, at, word);
    words.push(Uint8Array.from(word));
    at = skipBlanks(line, at);
  }
  return words;
}

const DOUBLE = 0x22;
const SINGLE = 0x27;
const BACKSLASH = 0x5c;
const LETTER_X = 0x78;
const ESCAPES: ReadonlyMap<number, number> = new Map([
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x62, 0x08],
  [0x61, 0x07],
]);

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d) || byte === 0;
}

function skipBlanks(line: Uint8Array, from: number): number {
  let at = from;
  while (at < line.length && isBlank(line[at])) at++;
  return at;
}

/** Returns where the word ends. */
function readWord(line: Uint8Array, from: number, word: number[]): number {
  let at = from;
  while (at < line.length && !isBlank(line[at])) {
    const byte = line[at] as number;
    if (byte === DOUBLE || byte === SINGLE) return readQuoted(line, at + 1, byte, word);
    word.push(byte);
    at++;
  }
  return at;
}

function readQuoted(line: Uint8Array, from: number, quote: number, word: number[]): number {
  let at = from;
  while (at < line.length && line[at] !== quote) {
    if (line[at] === BACKSLASH && quote === DOUBLE) at = readEscape(line, at + 1, word);
    else if (line[at] === BACKSLASH && line[at + 1] === SINGLE) at = push(word, SINGLE, at + 2);
    else at = push(word, line[at] as number, at + 1);
  }
  const isClosed = at < line.length && (at + 1 === line.length || isBlank(line[at + 1]));
  if (!isClosed) throw new RequestProtocolError('unbalanced quotes in request');
  return at + 1;
}

function push(word: number[], byte: number, next: number): number {
  word.push(byte);
  return next;
}

function readEscape(line: Uint8Array, at: number, word: number[]): number {
  const byte = line[at];
  if (byte === undefined) throw new RequestProtocolError('unbalanced quotes in request');
  const high = byte === LETTER_X ? hexDigit(line[at + 1]) : undefined;
  const low = high === undefined ? undefined : hexDigit(line[at + 2]);
  if (high !== undefined && low !== undefined) return push(word, 16 * high + low, at + 3);
  return push(word, ESCAPES.get(byte) ?? byte, at + 1);
}

function hexDigit(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined;
  const digit = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(digit) ? undefined : digit;
}
