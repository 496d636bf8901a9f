import { type Frame, nextLine } from './frame.ts';

const LF = 10;
const CR = 13;
const COMMA = 44;
const QUOTE = '"';

type Cell = { readonly value: string; readonly next: number };

/**
 * One record of comma-separated values (RFC 4180): a cell in quotes may hold commas, newlines and doubled quotes.
 * A record whose quotes are broken costs its first line only: the next line is read as a new record.
 */
export function frameCsv(text: string, from: number, isEnd: boolean): Frame | undefined {
  const cells: string[] = [];
  let at = from;
  for (;;) {
    const cell = text[at] === QUOTE ? quotedCell(text, at, isEnd) : plainCell(text, at, isEnd);
    if (cell === undefined) return undefined;
    if (typeof cell === 'string') return { type: 'bad', reason: cell, next: nextLine(text, from) };
    cells.push(cell.value);
    at = cell.next;
    if (text.charCodeAt(at) !== COMMA) break;
    at += 1;
  }
  const next = nextLine(text, at);
  return cells.length === 1 && at === from ? { type: 'blank', next } : { type: 'cells', cells, next };
}

function plainCell(text: string, from: number, isEnd: boolean): Cell | undefined {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === LF) break;
  }
  if (at === text.length && !isEnd) return undefined;
  const isCrLf = text.charCodeAt(at) !== COMMA && at > from && text.charCodeAt(at - 1) === CR;
  const end = isCrLf ? at - 1 : at;
  return { value: text.slice(from, end), next: end };
}

/** The cell, undefined where its end is not here yet, or what is wrong with it. */
function quotedCell(text: string, from: number, isEnd: boolean): Cell | string | undefined {
  let at = from + 1;
  for (;;) {
    at = text.indexOf(QUOTE, at);
    if (at === -1) return isEnd ? 'a quote is opened and never closed' : undefined;
    if (text[at + 1] !== QUOTE) break;
    at += 2;
  }
  const next = at + 1;
  if (next === text.length && !isEnd) return undefined;
  if (!endsCell(text, next)) return 'text behind a closing quote; write a quote inside quotes twice';
  const inner = text.slice(from + 1, at);
  return { value: inner.includes(QUOTE) ? inner.replaceAll('""', QUOTE) : inner, next };
}

function endsCell(text: string, at: number): boolean {
  const code = at < text.length ? text.charCodeAt(at) : LF;
  return code === COMMA || code === LF || (code === CR && (at + 1 >= text.length || text[at + 1] === '\n'));
}

/** The cell as RFC 4180 writes it; the counterpart of frameCsv. */
export function csvCell(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll(QUOTE, '""')}"` : value;
}
