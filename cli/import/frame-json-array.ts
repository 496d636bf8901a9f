import { type Frame, nextLine } from './frame.ts';

const BETWEEN = /[\s,[\]]*/y;
const STRUCTURE = /["{}]/g;

/** One object of a JSON array of objects, cut by counting braces outside strings; JSON.parse judges it later. */
export function frameJsonObject(text: string, from: number, isEnd: boolean): Frame | undefined {
  BETWEEN.lastIndex = from;
  BETWEEN.test(text);
  const start = BETWEEN.lastIndex;
  if (start > from) return { type: 'blank', next: start };
  if (text[start] !== '{') {
    return {
      type: 'bad',
      reason: 'not an object: a JSON import is one array of objects',
      next: nextLine(text, start),
    };
  }
  const end = endOfObject(text, start);
  if (end !== undefined) return { type: 'text', text: text.slice(start, end), next: end };
  return isEnd ? { type: 'bad', reason: 'the object has no end', next: nextLine(text, start) } : undefined;
}

function endOfObject(text: string, start: number): number | undefined {
  let depth = 0;
  STRUCTURE.lastIndex = start;
  for (let match = STRUCTURE.exec(text); match !== null; match = STRUCTURE.exec(text)) {
    if (match[0] === '"') {
      const end = endOfString(text, match.index);
      if (end === undefined) return undefined;
      STRUCTURE.lastIndex = end;
    } else {
      depth += match[0] === '{' ? 1 : -1;
      if (depth === 0) return match.index + 1;
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number | undefined {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text[at - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
  return undefined;
}
