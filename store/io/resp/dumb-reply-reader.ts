import type { Reply } from '../../core/resp/reply.ts';

/** One reply of either protocol as plain values, for tests: the plain way, over text in latin1, of all bytes at once. */
export type Plain =
  | string
  | number
  | null
  | Error
  | readonly Plain[]
  | { readonly map: readonly (readonly [Plain, Plain])[] }
  | { readonly set: readonly Plain[] }
  | { readonly double: string }
  | { readonly verbatim: string };

/** The replies in `text`, and what is left behind the last whole one. */
export function readReplies(text: string): { readonly replies: Plain[]; readonly rest: string } {
  const replies: Plain[] = [];
  let rest = text;
  for (let next = readOne(rest); next !== undefined; next = readOne(rest)) {
    replies.push(next[0]);
    rest = rest.slice(next[1]);
  }
  return { replies, rest };
}

/** What a reply must come back as. Texts are compared as latin1 of their UTF-8. */
export function plainOf(reply: Reply, protocol: 2 | 3): Plain {
  const flat = (pairs: readonly (readonly [Reply, Reply])[]) => pairs.flat().map((each) => plainOf(each, 2));
  switch (reply.type) {
    case 'simple':
      return lineText(reply.text);
    case 'error':
      return new Error(lineText(reply.text));
    case 'integer':
      return reply.value;
    case 'bulk':
      return Buffer.from(reply.value as string).toString('latin1');
    case 'nil':
      return null;
    case 'array':
      return reply.items.map((item) => plainOf(item, protocol));
    case 'set': {
      const items = reply.items.map((item) => plainOf(item, protocol));
      return protocol === 3 ? { set: items } : items;
    }
    case 'map':
      if (protocol === 2) return flat(reply.entries);
      return { map: reply.entries.map(([key, value]) => [plainOf(key, 3), plainOf(value, 3)]) };
    case 'double':
      return protocol === 3 ? { double: String(reply.value) } : String(reply.value);
    case 'verbatim': {
      const text = Buffer.from(reply.text).toString('latin1');
      return protocol === 3 ? { verbatim: `txt:${text}` } : text;
    }
  }
}

function lineText(text: string): string {
  return Buffer.from(text.replace(/[\r\n]/g, ' ')).toString('latin1');
}

type Read = readonly [Plain, number] | undefined;

function readOne(text: string): Read {
  const end = text.indexOf('\r\n');
  if (end < 0) return undefined;
  const line = text.slice(1, end);
  const after = end + 2;
  switch (text[0]) {
    case '+':
      return [line, after];
    case '-':
      return [new Error(line), after];
    case ':':
      return [Number(line), after];
    case ',':
      return [{ double: line }, after];
    case '_':
      return [null, after];
    case '$':
      return line === '-1' ? [null, after] : readText(text, after, Number(line));
    case '=': {
      const read = readText(text, after, Number(line));
      return read && [{ verbatim: read[0] as string }, read[1]];
    }
    case '*':
      return readItems(text, after, Number(line), (items) => items);
    case '~':
      return readItems(text, after, Number(line), (items) => ({ set: items }));
    case '%':
      return readItems(text, after, 2 * Number(line), (items) => ({ map: pairsOf(items) }));
    default:
      throw new Error(`no reply: ${JSON.stringify(text.slice(0, 40))}`);
  }
}

function readText(text: string, from: number, length: number): Read {
  if (text.length < from + length + 2) return undefined;
  if (text.slice(from + length, from + length + 2) !== '\r\n') throw new Error('a bulk string without end');
  return [text.slice(from, from + length), from + length + 2];
}

function readItems(text: string, from: number, count: number, as: (items: Plain[]) => Plain): Read {
  const items: Plain[] = [];
  let at = from;
  while (items.length < count) {
    const next = readOne(text.slice(at));
    if (next === undefined) return undefined;
    items.push(next[0]);
    at += next[1];
  }
  return [as(items), at];
}

function pairsOf(items: readonly Plain[]): (readonly [Plain, Plain])[] {
  return Array.from({ length: items.length / 2 }, (_, i) => [
    items[2 * i] as Plain,
    items[2 * i + 1] as Plain,
  ]);
}
