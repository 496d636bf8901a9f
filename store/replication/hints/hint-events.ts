/** For the metrics. A hint is kept, and ends either replayed or dropped; or it gives way to a newer one for the same key. */
export type HintEvents = {
  onKept(hints: number): void;
  /** Their owner holds them. */
  onReplayed(hints: number): void;
  onDropped(reason: HintDropReason, hints: number): void;
  onError(error: unknown): void;
};

/**
 * Why a hint is not kept, or not any longer. Each is harmless: what a hint would have brought, anti-entropy brings.
 * `bytes-limit`: hints.bytesMax; `backlog-limit`: too many wait for the disk; `space`: the disk keeps what is left for
 * writes of clients; `age`: hints.ageMsMax; `corrupt`: it fails its checksum.
 */
export type HintDropReason =
  | 'bytes-limit'
  | 'backlog-limit'
  | 'space'
  | 'age'
  | 'below-floor'
  | 'namespace-dropped'
  | 'not-owner'
  | 'owner-removed'
  | 'corrupt';
