/** What the store refuses or finds broken. `code` is the stable name of docs/errors.md. */
export class KvError extends Error {
  override readonly name = 'KvError';
  readonly code: KvErrorCode;
  readonly data: Readonly<Record<string, string | number>>;

  constructor(
    code: KvErrorCode,
    message: string,
    data: Readonly<Record<string, string | number>> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.data = data;
  }
}

export type KvErrorCode =
  | 'NAMESPACE_NOT_FOUND'
  | 'NAMESPACE_NOT_EMPTY'
  | 'NAMESPACE_PROTECTED'
  | 'NAMESPACE_LIMIT'
  | 'STORAGE_FULL'
  | 'STORAGE_FAILED'
  | 'RECORD_CORRUPT'
  | 'OVERLOADED'
  | 'SHUTTING_DOWN';
