import type { MemberId } from '../core/raft/types.ts';

/** What the store refuses or finds broken. `code` is the stable name of docs/errors.md. */
export class KvError extends Error {
  override readonly name = 'KvError';
  readonly code: KvErrorCode;
  readonly data: KvErrorData;

  constructor(code: KvErrorCode, message: string, data: KvErrorData = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.data = data;
  }
}

/** Facts for programs. Their names are stable as the codes are. */
export type KvErrorData = Readonly<Record<string, string | number | readonly ReplicaAnswer[]>>;

/** What one replica said to a request that failed; `said` is e.g. `held`, `silent`, `refused STORAGE_FULL`. */
export type ReplicaAnswer = { readonly member: MemberId; readonly node: string; readonly said: string };

export type KvErrorCode =
  | 'NAMESPACE_NOT_FOUND'
  | 'NAMESPACE_NOT_EMPTY'
  | 'NAMESPACE_PROTECTED'
  | 'NAMESPACE_LIMIT'
  | 'STORAGE_FULL'
  | 'STORAGE_FAILED'
  | 'RECORD_CORRUPT'
  | 'OVERLOADED'
  | 'SHUTTING_DOWN'
  | 'QUORUM_NOT_MET'
  | 'CLOCK_SKEW'
  | 'DEADLINE_EXCEEDED'
  | 'IDEMPOTENCY_MISMATCH'
  | 'REPLICA_OUT';
