/** What e2e/k6/load.js tells of each operation, when it has ended. */
export type LoadLine = {
  /** When it began, in milliseconds since 1970. */
  readonly t: number;
  readonly op: 'put' | 'get';
  readonly key: string;
  /** Of a put: its number; of a get: the last write of the key that was acknowledged before. */
  readonly n: number;
  /** With all attempts and the pauses between them. */
  readonly ms: number;
  readonly outcome: 'acknowledged' | 'unknown' | 'refused' | 'answered' | 'failed';
  /** Why attempts failed. */
  readonly codes: readonly string[];
  /** Of a get: what it gave that cannot be. */
  readonly problem?: string;
};

/** Lines of k6's console in its JSON format; the last one may be cut. */
export function parseLoadLines(console: string): readonly LoadLine[] {
  const lines = console.split('\n');
  lines.pop();
  return lines.map((line) => JSON.parse((JSON.parse(line) as { readonly msg: string }).msg) as LoadLine);
}

export function isError({ outcome }: LoadLine): boolean {
  return outcome !== 'acknowledged' && outcome !== 'answered';
}

/** Attempts that failed and were followed by another one. */
export function retriesOf(line: LoadLine): number {
  return line.codes.length - (isError(line) ? 1 : 0);
}
