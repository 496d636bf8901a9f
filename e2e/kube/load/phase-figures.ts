import { isError, type LoadLine, retriesOf } from './load-lines.ts';

/** A span of time of a load, from `fromMs` until `toMs` (since 1970), and what k6 had dropped when it began and ended. */
export type PhaseMark = {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly dropped: number;
};

/** What came of the operations that began in a phase. */
export type PhaseFigures = {
  readonly name: string;
  readonly seconds: number;
  readonly operations: number;
  /** Operations that failed for good, and attempts that were repeated. */
  readonly errors: number;
  readonly retries: number;
  /** Why attempts failed, and how many. */
  readonly codes: Readonly<Record<string, number>>;
  /** Iterations that k6 could not begin in time. */
  readonly dropped: number;
  readonly reads: Latencies;
  readonly writes: Latencies;
};

/** In milliseconds. */
export type Latencies = { readonly p50: number; readonly p99: number; readonly max: number };

export function phaseFigures(
  { name, fromMs, toMs, dropped }: PhaseMark,
  lines: readonly LoadLine[],
): PhaseFigures {
  const own = lines.filter(({ t }) => t >= fromMs && t < toMs);
  return {
    name,
    seconds: (toMs - fromMs) / 1000,
    operations: own.length,
    errors: own.filter(isError).length,
    retries: own.reduce((sum, line) => sum + retriesOf(line), 0),
    codes: countsOf(own.flatMap(({ codes }) => codes)),
    dropped,
    reads: latenciesOf(own.filter(({ op }) => op === 'get')),
    writes: latenciesOf(own.filter(({ op }) => op === 'put')),
  };
}

function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** Of those that failed too: whoever waited for one has waited. */
function latenciesOf(lines: readonly LoadLine[]): Latencies {
  const sorted = lines.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
