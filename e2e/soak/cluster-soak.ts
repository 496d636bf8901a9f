import type { ClusterOptions } from '../lib/cluster.ts';
import type { SoakRun } from './soak.ts';

const SIZE = 5;

/** Five nodes with default times; few partitions, since each follower reads the whole topology of every epoch. */
export function clusterOf(run: SoakRun): ClusterOptions {
  return {
    directory: run.directory,
    size: SIZE,
    settings: { 'cluster.partitions': 8, 'storage.engine': run.engine },
  };
}

/** `median 1,312 ms, worst 2,040 ms` */
export function distributionOf(valuesMs: readonly number[]): string {
  const sorted = valuesMs.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
  return `median ${format(median)} ms, worst ${format(sorted.at(-1) ?? 0)} ms`;
}

function format(ms: number): string {
  return Math.round(ms).toLocaleString('en-US');
}
