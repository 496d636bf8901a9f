import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { type ContenderName, isSame, nameOf, type PeerSample, type Point, titleOf } from './peer-points.ts';
import { type Figure, median, report, round, spread } from './report.ts';
import type { SyncedPuts } from './synced-puts.ts';

export type PeerTrace = { readonly name: ContenderName } & SyncedPuts;

export type PeerRun = {
  /** As `2026-11-22`. */
  readonly day: string;
  readonly commit: string;
  readonly machine: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly samples: readonly PeerSample[];
  readonly traces: readonly PeerTrace[];
};

export function whenAndWhere(): Pick<PeerRun, 'day' | 'commit' | 'machine'> {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const [first] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  const machine = `${cpus().length} cores (${first?.model ?? 'unknown'}), ${gib} GiB, Node ${process.versions.node}`;
  return { day: new Date().toISOString().slice(0, 10), commit, machine };
}

export type Measure = 'perSecond' | 'p50Ms' | 'p99Ms' | 'p999Ms' | 'cpuSeconds' | 'loadCpuSeconds';

/** In the order in which they were measured first. */
export function pointsOf({ samples }: PeerRun): readonly Point[] {
  const points: Point[] = [];
  for (const { point } of samples) if (!points.some((each) => isSame(each, point))) points.push(point);
  return points;
}

/** One value for each round, in their order; empty where this was not measured. */
export function valuesOf(
  { samples }: PeerRun,
  name: ContenderName,
  point: Point,
  what: Measure,
): readonly number[] {
  return samples.filter((each) => each.name === name && isSame(each.point, point)).map((each) => each[what]);
}

/** The median of the rounds' ratios; undefined where one of the two was not measured. */
export function ratioOf(
  run: PeerRun,
  what: Measure,
  ours: { readonly name: ContenderName; readonly point: Point },
  theirs: { readonly name: ContenderName; readonly point: Point },
): number | undefined {
  const [own, others] = [
    valuesOf(run, ours.name, ours.point, what),
    valuesOf(run, theirs.name, theirs.point, what),
  ];
  if (own.length === 0 || own.length !== others.length) return undefined;
  return median(own.map((value, i) => value / (others[i] as number)));
}

export const namesOf = ({ samples }: PeerRun): readonly ContenderName[] => [
  ...new Set(samples.map(({ name }) => name)),
];

export function printRun(run: PeerRun): void {
  process.stdout.write(
    `a second, latencies in ms, CPU of the servers in s per 100,000 requests; ${run.rounds} rounds of ${run.seconds} s, ` +
      `median (least-greatest); 3 durable nodes, ${run.valueBytes}-byte values, ${run.keys} keys\n`,
  );
  for (const point of pointsOf(run)) {
    for (const name of namesOf(run)) {
      const rates = valuesOf(run, name, point, 'perSecond');
      if (rates.length === 0) continue;
      const at = (what: Measure): string => String(round(median(valuesOf(run, name, point, what))));
      process.stdout.write(
        `${titleOf(point).padEnd(22)} ${name.padEnd(11)} ${spread(rates).padEnd(28)} ` +
          `p50 ${at('p50Ms')}, p99 ${at('p99Ms')}, p99.9 ${at('p999Ms')}, CPU ${at('cpuSeconds')} (load ${at('loadCpuSeconds')})\n`,
      );
    }
    printRatios(run, point);
  }
  for (const { name, puts, byServers } of run.traces)
    process.stdout.write(
      `${name}: of ${puts} puts, synced by 0, 1, 2, 3 servers before the answer: ${byServers.join(', ')}\n`,
    );
}

function printRatios(run: PeerRun, point: Point): void {
  for (const peer of ['etcd', 'redis'] as const) {
    const at = (what: Measure): number | undefined =>
      ratioOf(run, what, { name: 'kvorum', point }, { name: peer, point });
    const [rate, p99, cpu] = [at('perSecond'), at('p99Ms'), at('cpuSeconds')];
    if (rate === undefined || p99 === undefined || cpu === undefined) continue;
    process.stdout.write(
      `${' '.repeat(22)} kvorum / ${peer.padEnd(5)} rate ${round(rate)}, p99 ${round(p99)}, CPU ${round(cpu)}\n`,
    );
  }
}

/** The line of JSON. */
export function reportRun(run: PeerRun): void {
  const results: Record<string, Figure> = {};
  const ratios: Record<string, number> = {};
  for (const point of pointsOf(run)) {
    for (const name of namesOf(run)) {
      const rates = valuesOf(run, name, point, 'perSecond');
      if (rates.length === 0) continue;
      const at = (what: Measure): number => round(median(valuesOf(run, name, point, what)));
      const key = `${name}_${nameOf(point)}`;
      results[key] = { value: Math.round(median(rates)), unit: '1/s' };
      results[`${key}_p99`] = { value: at('p99Ms'), unit: 'ms' };
      results[`${key}_cpu`] = { value: at('cpuSeconds'), unit: 's/100k' };
    }
    for (const peer of ['etcd', 'redis'] as const) {
      const ratio = ratioOf(run, 'perSecond', { name: 'kvorum', point }, { name: peer, point });
      if (ratio !== undefined) ratios[`${nameOf(point)}_of_${peer}`] = round(ratio);
    }
  }
  report('peers', results, ratios);
}
