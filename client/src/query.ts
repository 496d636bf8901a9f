import { percentEncode } from './bytes.ts';
import type { PageQuery } from './types.ts';

/** The query string of a scan, with its question mark; empty where nothing is asked for. */
export function queryOf(query: PageQuery): string {
  const parts: string[] = [];
  for (const name of ['prefix', 'start', 'end', 'cursor'] as const) {
    const bytes = query[name];
    if (bytes !== undefined) parts.push(`${name}=${percentEncode(bytes)}`);
  }
  if (query.limit !== undefined) parts.push(`limit=${query.limit}`);
  if (query.reverse === true) parts.push('reverse=true');
  if (query.keysOnly === true) parts.push('values=false');
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}
