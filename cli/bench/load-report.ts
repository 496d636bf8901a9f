import type { Histogram } from './histogram.ts';
import type { LoadResult } from './load.ts';

const SHARES = [0.5, 0.9, 0.99, 0.999] as const;
const BAR_CELLS = 40;
const BLOCKS = '▁▂▃▄▅▆▇█';
/** Upper bounds of the latency bars, microseconds. */
const BOUNDS = [100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

/** Throughput over time, percentiles, and how the latencies are spread, for a terminal. */
export function loadReport(result: LoadResult): string {
  const done = result.reads.total + result.writes.total;
  const lines = [
    `${Math.round(done / (result.elapsedMs / 1000)).toLocaleString('en-US')} requests a second over ${(result.elapsedMs / 1000).toFixed(1)} s`,
  ];
  if (result.perSecond.length > 1)
    lines.push(
      `each second  ${sparkline(result.perSecond)}  most ${Math.max(...result.perSecond).toLocaleString('en-US')}`,
    );
  for (const [name, histogram] of kinds(result))
    lines.push('', percentileLine(name, histogram), ...bars(histogram));
  for (const [reason, count] of result.failures) lines.push(`failed: ${reason}, ${count} times`);
  return `${lines.join('\n')}\n`;
}

/** The figures by name, for the closing JSON line. */
export function loadFigures(result: LoadResult): Record<string, { value: number; unit: string }> {
  const done = result.reads.total + result.writes.total;
  const figures: Record<string, { value: number; unit: string }> = {
    requests: { value: Math.round(done / (result.elapsedMs / 1000)), unit: '1/s' },
  };
  for (const [name, histogram] of kinds(result)) {
    for (const share of SHARES)
      figures[`${name}_p${String(share * 100).replace('.', '')}`] = {
        value: histogram.percentile(share),
        unit: 'us',
      };
    figures[`${name}_max`] = { value: histogram.max, unit: 'us' };
  }
  figures.failures = {
    value: [...result.failures.values()].reduce((sum, count) => sum + count, 0),
    unit: '1',
  };
  return figures;
}

function kinds(result: LoadResult): [string, Histogram][] {
  const all: [string, Histogram][] = [
    ['get', result.reads],
    ['put', result.writes],
  ];
  return all.filter(([, histogram]) => histogram.total > 0);
}

function percentileLine(name: string, histogram: Histogram): string {
  const points = SHARES.map((share) => `p${share * 100} ${duration(histogram.percentile(share))}`);
  return `${name}  ${histogram.total.toLocaleString('en-US')} requests  ${points.join('  ')}  max ${duration(histogram.max)}`;
}

function bars(histogram: Histogram): string[] {
  const counts = histogram.countsBelow(BOUNDS);
  const most = Math.max(...counts);
  return counts.flatMap((count, i) => {
    if (count === 0) return [];
    const label =
      i < BOUNDS.length ? `< ${duration(BOUNDS[i] as number)}` : `>= ${duration(BOUNDS.at(-1) as number)}`;
    const share = `${((100 * count) / histogram.total).toFixed(1)} %`;
    return [
      `  ${label.padStart(11)} ${share.padStart(7)} ${'█'.repeat(Math.max(1, Math.round((count / most) * BAR_CELLS)))}`,
    ];
  });
}

export function sparkline(values: readonly number[]): string {
  const most = Math.max(1, ...values);
  return values
    .map((value) => BLOCKS[Math.min(BLOCKS.length - 1, Math.floor((value / most) * BLOCKS.length))])
    .join('');
}

/** Microseconds for people: `850 us`, `1.2 ms`, `3.4 s`. */
export function duration(microseconds: number): string {
  if (microseconds < 1000) return `${microseconds} us`;
  if (microseconds < 1_000_000) return `${trim(microseconds / 1000)} ms`;
  return `${trim(microseconds / 1_000_000)} s`;
}

function trim(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, '');
}
