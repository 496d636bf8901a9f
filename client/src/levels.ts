/** How many of a key's replicas: one, a majority, or all. Only the default, `quorum`, or more keeps all promises. */
export type Level = 1 | 'quorum' | 'all';

/** What a read may ask of the replicas. */
export type ReadLevels = {
  /** Replicas that are asked. */
  readonly r?: Level;
  /** Milliseconds that the node may take, retries of this client apart; its own default where absent. */
  readonly serverTimeoutMs?: number;
};

/** What a write may ask of the replicas. */
export type WriteLevels = ReadLevels & {
  /** Replicas that must hold it. */
  readonly w?: Level;
};

/** `path` with the parameters of `levels`; it may have others already. */
export function withLevels(path: string, levels: WriteLevels = {}): string {
  const { r, w, serverTimeoutMs } = levels;
  const parts = Object.entries({ r, w, timeoutMs: serverTimeoutMs })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
  if (parts.length === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${parts.join('&')}`;
}
