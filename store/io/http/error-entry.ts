/** What an operator or a program needs to know about a code; docs/errors.md is checked against this table. */
export type ErrorEntry = {
  readonly status: number;
  readonly title: string;
  /** The same request may succeed later, unchanged. */
  readonly retryable: boolean;
  readonly action: string;
};

export function entry(status: number, title: string, action: string): ErrorEntry {
  return { status, title, action, retryable: false };
}

export function passing(status: number, title: string, action: string): ErrorEntry {
  return { status, title, action, retryable: true };
}
