import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';

export type Figure = { readonly value: number; readonly unit: string };

/** The last line of every benchmark: one JSON document. */
export function report(
  bench: string,
  results: Readonly<Record<string, Figure>>,
  ratios: Readonly<Record<string, number>>,
): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  process.stdout.write(`${JSON.stringify({ bench, commit, cores: cpus().length, results, ratios })}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** The least value that so large a share of them do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** "median (least-greatest)", with so many digits behind the point. */
export function spread(values: readonly number[], digits = 0): string {
  const told = (value: number): string => round(value, digits).toLocaleString('en-US');
  return `${told(median(values))} (${told(Math.min(...values))}-${told(Math.max(...values))})`;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
