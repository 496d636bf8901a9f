/** What an operator or a program needs to know about a code; docs/errors.md is checked against this table. */
export type ErrorEntry = {
  readonly status: number;
  readonly title: string;
  /** Whether the same request may be repeated, unchanged: it may succeed later, and repeating it does no harm. */
  readonly retryable: boolean | 'if unwritten';
  readonly action: string;
};

export function entry(status: number, title: string, action: string): ErrorEntry {
  return { status, title, action, retryable: false };
}

export function passing(status: number, title: string, action: string): ErrorEntry {
  return { status, title, action, retryable: true };
}

/** Passes too, but a write may have been done: only a read, a write that was not done, or an idempotent one is repeated. */
export function unsettled(status: number, title: string, action: string): ErrorEntry {
  return { status, title, action, retryable: 'if unwritten' };
}
