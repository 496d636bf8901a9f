import type { CallOptions } from './transport.ts';

/** How many replicas: one, a majority of them (the default), or every one. */
export type Level = 1 | 'quorum' | 'all';

export type ReadOptions = CallOptions & {
  /** Replicas that a read asks. With less than a quorum it may miss the newest write. */
  readonly r?: Level;
};

export type WriteOptions = ReadOptions & {
  /** Replicas that must hold a write before it is acknowledged. With one a crash may lose it. */
  readonly w?: Level;
  /**
   * The write may be executed again by this call where its outcome is unknown. Every attempt carries the same
   * Idempotency-Key, and the same node is asked first, which does not execute it twice; another one may. Say so where it
   * does no harm: nobody else writes this key, or any order of the writes will do.
   */
  readonly idempotent?: boolean;
};

/** `r=1&w=all`; empty where nothing is asked for. */
export function levelsQuery({ r, w }: Pick<WriteOptions, 'r' | 'w'>): string {
  const parts = [r === undefined ? '' : `r=${r}`, w === undefined ? '' : `w=${w}`];
  return parts.filter((part) => part !== '').join('&');
}

/** `path` with those of `parts` that are not empty as its query. */
export function withQuery(path: string, ...parts: readonly string[]): string {
  const query = parts.filter((part) => part !== '').join('&');
  return query === '' ? path : `${path}?${query}`;
}
