import type { CallOptions } from './transport.ts';

/** How many of a key's replicas: one, a majority, or all. Only the default, `quorum`, or more keeps all promises. */
export type Level = 1 | 'quorum' | 'all';

/** What a read may ask of the replicas. */
export type ReadLevels = {
  /** Replicas that are asked. */
  readonly r?: Level;
  /**
   * Milliseconds that the node may take, retries of this client apart. Absent: most of what is left of the `timeoutMs` of
   * the call, so that what the node says of the outcome still arrives; its own default where the call names none.
   */
  readonly serverTimeoutMs?: number;
};

/** What a write may ask of the replicas. */
export type WriteLevels = ReadLevels & {
  /** Replicas that must hold it. */
  readonly w?: Level;
};

export type ReadOptions = ReadLevels & CallOptions;

export type WriteOptions = WriteLevels &
  CallOptions & {
    /**
     * The write may be executed again by this call where its outcome is unknown. Every attempt carries the same
     * Idempotency-Key, and the same node is asked first, which does not execute it twice; another one may. Say so where
     * it does no harm: nobody else writes this key, or any order of the writes will do.
     */
    readonly idempotent?: boolean;
  };

/** `path` with the parameters of `levels`; it may have others already. */
export function withLevels(path: string, { r, w, serverTimeoutMs }: WriteLevels = {}): string {
  const parts = Object.entries({ r, w, timeoutMs: serverTimeoutMs })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
  if (parts.length === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${parts.join('&')}`;
}

/** Whether the node is to be told of what is left of the time of the call. */
export function takesTime({ timeoutMs, serverTimeoutMs }: ReadOptions): boolean {
  return timeoutMs !== undefined && serverTimeoutMs === undefined;
}
