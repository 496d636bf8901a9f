import { type Frame, nextLine } from './frame.ts';

/** A line ends with LF or CRLF, the last one also with the end of the input. Empty lines are no records. */
export function frameLine(text: string, from: number, isEnd: boolean): Frame | undefined {
  const newline = text.indexOf('\n', from);
  if (newline === -1 && !isEnd) return undefined;
  const next = nextLine(text, from);
  const line = text.slice(from, newline === -1 ? text.length : newline).replace(/\r$/, '');
  return line === '' ? { type: 'blank', next } : { type: 'text', text: line, next };
}

/** Tab-separated values have no quotes: a tab ends a cell, a line ends a record. */
export function frameTsv(text: string, from: number, isEnd: boolean): Frame | undefined {
  const frame = frameLine(text, from, isEnd);
  return frame?.type === 'text' ? { type: 'cells', cells: frame.text.split('\t'), next: frame.next } : frame;
}
