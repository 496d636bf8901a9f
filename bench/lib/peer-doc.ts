import { writeFileSync } from 'node:fs';
import { markdownTable, writeDocPart } from './doc-part.ts';
import { plotOf } from './peer-plot.ts';
import { type ContenderName, type Point, TITLES, titleOf } from './peer-points.ts';
import { type Measure, namesOf, type PeerRun, pointsOf, ratioOf, valuesOf } from './peer-report.ts';
import { median, round, spread } from './report.ts';

/** Puts the tables between the marks in docs/benchmarks.md, and draws the plots beside it. */
export function writePeerDoc(run: PeerRun): void {
  const figures = [introduction(run), rateTable(run), latencyTable(run), cpuTable(run), ratioTable(run)];
  const plots = [1, 16].flatMap((depth) => {
    const file = depth === 1 ? 'benchmarks/peers.svg' : 'benchmarks/peers-pipelined.svg';
    const svg = plotOf(run, depth);
    if (svg === undefined) return [];
    writeFileSync(`docs/${file}`, svg);
    return [`![Requests a second over connections, ${depth} at a time](${file})`];
  });
  const all = [...figures, ...plots, traceTable(run)].filter((part) => part !== '').join('\n\n');
  writeDocPart('peers', all);
}

function introduction({ day, commit, machine, rounds, seconds, keys, valueBytes }: PeerRun): string {
  return (
    `${day}, commit ${commit}, ${machine}. ${rounds} rounds of ${seconds} s for each figure, ${keys.toLocaleString('en-US')} keys, ` +
    `values of ${valueBytes} bytes; "64 x 16" is 64 connections, 16 requests each at once. Median (least-greatest).`
  );
}

function rateTable(run: PeerRun): string {
  const names = namesOf(run);
  const rows = pointsOf(run)
    .filter(({ perSecond }) => perSecond === undefined)
    .map((point) => [
      titleOf(point),
      ...names.map((name) => {
        const rates = valuesOf(run, name, point, 'perSecond');
        return rates.length === 0 ? '-' : spread(rates);
      }),
    ]);
  return markdownTable(['a second', ...names.map((name) => TITLES[name])], rows);
}

function latencyTable(run: PeerRun): string {
  const names = namesOf(run);
  const rows = pointsOf(run).map((point) => [
    titleOf(point),
    ...names.map((name) => {
      const of = (what: Measure): string => shown(medianOf(run, name, point, what));
      const isThere = valuesOf(run, name, point, 'p50Ms').length > 0;
      return isThere ? `${of('p50Ms')} / ${of('p99Ms')} / ${of('p999Ms')}` : '-';
    }),
  ]);
  return markdownTable(['p50 / p99 / p99.9 in ms', ...names.map((name) => TITLES[name])], rows);
}

function cpuTable(run: PeerRun): string {
  const names = namesOf(run);
  const rows = pointsOf(run)
    .filter(({ perSecond }) => perSecond === undefined)
    .map((point) => [
      titleOf(point),
      ...names.map((name) => {
        const [servers, load] = [
          medianOf(run, name, point, 'cpuSeconds'),
          medianOf(run, name, point, 'loadCpuSeconds'),
        ];
        return Number.isNaN(servers) ? '-' : `${shown(servers)} (${shown(load)})`;
      }),
    ]);
  return markdownTable(
    [
      'CPU seconds of the three servers per 100,000 requests (of the load)',
      ...names.map((name) => TITLES[name]),
    ],
    rows,
  );
}

/** What the project wants of each point: at least so much of etcd's rate or of Redis's, at most so much of etcd's CPU. */
function targetOf({ kind, clients, depth, isOneKey, perSecond }: Point): {
  readonly etcd?: number;
  readonly redis?: number;
  readonly cpu?: number;
} {
  if (perSecond !== undefined || isOneKey) return {};
  if (depth > 1) return { etcd: kind === 'puts' ? 6 : 10 };
  if (kind === 'gets') return { etcd: 2.5 };
  return { etcd: clients === 1 ? 1.3 : 2.5, redis: 0.9, cpu: 0.5 };
}

function ratioTable(run: PeerRun): string {
  const rows = pointsOf(run).map((point) => {
    const { etcd, redis, cpu } = targetOf(point);
    const to = (what: Measure, name: ContenderName, theirs = point): number | undefined =>
      ratioOf(run, what, { name: 'kvorum', point }, { name, point: theirs });
    // etcd's protocol has no pipelines: what its clients get is the rate of single requests.
    const single = { ...point, depth: 1 };
    const toEtcd = to('perSecond', 'etcd', single);
    const atOnce = point.depth === 1 ? '' : `; ${ratio(to('perSecond', 'etcd'))} of as many at once`;
    const isClosedLoop = point.perSecond === undefined;
    return [
      titleOf(point),
      `${isClosedLoop ? ratio(toEtcd) : '-'}${verdict(toEtcd, etcd)}${atOnce}`,
      `${isClosedLoop ? ratio(to('perSecond', 'redis')) : '-'}${verdict(to('perSecond', 'redis'), redis)}`,
      `${ratio(to('p99Ms', 'etcd'))}${limit(to('p99Ms', 'etcd'), isClosedLoop ? undefined : 1)}`,
      `${ratio(to('cpuSeconds', 'etcd'))}${limit(to('cpuSeconds', 'etcd'), cpu)}`,
    ];
  });
  return markdownTable(
    ['Kvorum over RESP, to owners', 'of the rate of etcd', 'of Redis', "of etcd's p99", "of etcd's CPU"],
    rows,
  );
}

const ratio = (value: number | undefined): string => (value === undefined ? '-' : String(round(value)));

function verdict(value: number | undefined, target: number | undefined): string {
  if (value === undefined || target === undefined) return '';
  return ` (wanted ${target}: ${value >= target ? 'met' : 'missed'})`;
}

function limit(value: number | undefined, most: number | undefined): string {
  if (value === undefined || most === undefined) return '';
  return ` (wanted at most ${most}: ${value <= most ? 'met' : 'missed'})`;
}

function traceTable({ traces }: PeerRun): string {
  if (traces.length === 0) return '';
  const rows = traces.map(({ name, puts, byServers }) => [
    TITLES[name],
    ...byServers.map((count) => `${round((100 * count) / puts, 1)} %`),
  ]);
  return markdownTable(
    [`of ${traces[0]?.puts} acknowledged puts, synced before the answer by`, '0 servers', '1', '2', '3'],
    rows,
  );
}

function medianOf(run: PeerRun, name: ContenderName, point: Point, what: Measure): number {
  const values = valuesOf(run, name, point, what);
  return values.length === 0 ? Number.NaN : median(values);
}

/** Three figures. */
const shown = (value: number): string =>
  value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
