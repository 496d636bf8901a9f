/** What a command answers, whichever protocol its connection speaks: RESP3 has more kinds, and RESP2 says them as arrays and texts. */
export type Reply =
  | { readonly type: 'simple'; readonly text: string }
  /** `text` begins with the prefix, e.g. `ERR`. */
  | { readonly type: 'error'; readonly text: string }
  | { readonly type: 'integer'; readonly value: number }
  /** Text is written as UTF-8. */
  | { readonly type: 'bulk'; readonly value: Uint8Array | string }
  | { readonly type: 'nil' }
  | { readonly type: 'array'; readonly items: readonly Reply[] }
  | { readonly type: 'set'; readonly items: readonly Reply[] }
  | { readonly type: 'map'; readonly entries: readonly (readonly [Reply, Reply])[] }
  | { readonly type: 'double'; readonly value: number }
  /** Text for people: a bulk string in RESP2. */
  | { readonly type: 'verbatim'; readonly text: string };

export type Protocol = 2 | 3;

export const OK: Reply = { type: 'simple', text: 'OK' };
export const NIL: Reply = { type: 'nil' };
export const ZERO: Reply = { type: 'integer', value: 0 };
export const ONE: Reply = { type: 'integer', value: 1 };
export const EMPTY: Reply = { type: 'array', items: [] };

export function failed(text: string): Reply {
  return { type: 'error', text };
}

export function integer(value: number): Reply {
  return { type: 'integer', value };
}

export function bulk(value: Uint8Array | string): Reply {
  return { type: 'bulk', value };
}

export function array(items: readonly Reply[]): Reply {
  return { type: 'array', items };
}

export function map(entries: readonly (readonly [string, Reply])[]): Reply {
  return { type: 'map', entries: entries.map(([name, value]) => [bulk(name), value]) };
}
