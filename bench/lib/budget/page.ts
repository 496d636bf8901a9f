import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { callTree } from '../flame-graph.ts';
import { quantile, round } from '../report.ts';
import { FSYNC_BYTES } from './bare-fsync.ts';
import type { LoadCost, WayCost } from './measure.ts';
import { STAGES, stageTimes } from './stages.ts';
import { cpuOf, NO_COST, type ThreadCost } from './thread-cost.ts';

export type Summary = {
  /** Operations a second. */
  readonly rate: number;
  /** Of processor time that all nodes took for an operation. */
  readonly micros: number;
  readonly mainMicros: number;
  /** Of the main threads, by stage. */
  readonly stages: ReadonlyMap<string, number>;
};

/** What an operation cost. The profile gives the shares, the kernel's counters the time. */
export function summaryOf(load: LoadCost): Summary {
  const perOperation = (seconds: number): number => (1e6 * seconds) / load.operations;
  const mainMicros = perOperation(cpuOf(load.threads.get('main') ?? NO_COST));
  const all = [...load.threads.values()].reduce((sum, cost) => sum + cpuOf(cost), 0);
  const times = new Map(STAGES.map(({ id }) => [id, 0]));
  let totalMs = 0;
  for (const profile of load.profiles)
    for (const [stage, ms] of stageTimes(callTree(profile))) {
      times.set(stage, (times.get(stage) ?? 0) + ms);
      totalMs += ms;
    }
  const stages = new Map(
    [...times].map(([stage, ms]) => [stage, totalMs === 0 ? 0 : (mainMicros * ms) / totalMs]),
  );
  return { rate: load.operations / load.seconds, micros: perOperation(all), mainMicros, stages };
}

/** Of an operation: threads that take less are not told. */
const SEEN_SECONDS = 5e-8;

/** docs/performance/README.md */
export function budgetPage(
  loads: readonly LoadCost[],
  ways: readonly WayCost[],
  bareFsyncMicros: readonly number[],
): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const date = new Date().toISOString().slice(0, 10);
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}`;
  return [
    '# The latency budget',
    '',
    'Where the microseconds of a put and of a quorum get go, from socket to socket, over RESP. `./dev.sh bench budget --write` measures it and writes this page and',
    `its pictures. Three real nodes, factor 3, fsync on each, 256-byte values, 100,000 keys; commit ${commit}, ${date}, ${machine}.`,
    'Nodes, load and whatever else ran there shared these cores: compare columns of one run.',
    '',
    ...(loads.length > 0 ? cpuTable(loads) : []),
    ...ways.flatMap(wayTable),
    `A bare fdatasync after ${FSYNC_BYTES} bytes, of one process on this disk with nothing else of the run: p50 ${Math.round(quantile(bareFsyncMicros, 0.5))} us, p99 ${Math.round(quantile(bareFsyncMicros, 0.99))} us.`,
    '',
    ...method(loads),
  ].join('\n');
}

function cpuTable(loads: readonly LoadCost[]): string[] {
  const summaries = loads.map(summaryOf);
  const row = (what: string, value: (load: LoadCost, summary: Summary) => number | string): string => {
    const cells = loads.map((load, i) => value(load, summaries[i] as Summary));
    return `| ${what} | ${cells.map((cell) => (typeof cell === 'number' ? String(round(cell, 1)) : cell)).join(' | ')} |`;
  };
  const perOperation = (count: number, { operations }: LoadCost): string => (count / operations).toFixed(2);
  return [
    '## Processor time of an operation, by stage',
    '',
    'Microseconds an operation, all three nodes added up.',
    '',
    row('', ({ kind, connections }) => `${kind}, ${connections}`),
    `| --- |${' --- |'.repeat(loads.length)}`,
    row('operations a second', (_, { rate }) => Math.round(rate).toLocaleString('en-US')),
    ...STAGES.map(({ id, what }) => row(what, (_, { stages }) => stages.get(id) ?? 0)),
    row('**main threads**', (_, { mainMicros }) => mainMicros),
    ...threadNames(loads).map((name) => row(`${name} (user + system)`, (load) => threadCell(load, name))),
    row('**all threads of the nodes**', (_, { micros }) => micros),
    row('load generator', (load) => (1e6 * load.generatorSeconds) / load.operations),
    row('main threads: system calls of the write family', (load) =>
      perOperation(load.threads.get('main')?.writes ?? 0, load),
    ),
    row('of the read family', (load) => perOperation(load.threads.get('main')?.reads ?? 0, load)),
    row('times a main thread waited', (load) => perOperation(load.threads.get('main')?.waits ?? 0, load)),
    row('fsyncs', (load) => perOperation(load.fsyncs, load)),
    row('mean time of a synced batch, its thread included, us', (load) =>
      load.fsyncs < load.seconds * 10 ? '-' : Math.round((1e6 * load.fsyncSeconds) / load.fsyncs),
    ),
    row('bytes between members', (load) => Math.round(load.peerBytes / load.operations)),
    '',
  ];
}

function threadNames(loads: readonly LoadCost[]): readonly string[] {
  const names = new Set(loads.flatMap(({ threads }) => [...threads.keys()]));
  const isSeen = (name: string): boolean =>
    loads.some(({ threads, operations }) => cpuOf(threads.get(name) ?? NO_COST) > SEEN_SECONDS * operations);
  return [...names].filter((name) => name !== 'main' && isSeen(name)).toSorted();
}

function threadCell(load: LoadCost, name: string): string {
  const { userSeconds, systemSeconds }: ThreadCost = load.threads.get(name) ?? NO_COST;
  const micros = (seconds: number): string => ((1e6 * seconds) / load.operations).toFixed(1);
  return `${micros(userSeconds)} + ${micros(systemSeconds)}`;
}

function wayTable({ kind, operations, bareMicros, probedMicros, routes, found }: WayCost): string[] {
  const p50 = (values: readonly number[]): number => Math.round(quantile(values, 0.5));
  const p99 = (values: readonly number[]): number => Math.round(quantile(values, 0.99));
  const shown = routes.slice(0, 2);
  return [
    `## One of the ${kind} alone, leg by leg`,
    '',
    `${operations.toLocaleString('en-US')} of them, one after the other, at one node: p50 ${p50(bareMicros)} us, p99 ${p99(bareMicros)} us; ` +
      `with probes ${p50(probedMicros)} and ${p99(probedMicros)}. The way of ${round(100 * found, 1)} % was found; where less than 100, others met something else on theirs.`,
    '',
    ...shown.flatMap(({ legs, share }) => [
      `${round(100 * share, 1)} % of these went this way:`,
      '',
      '| leg | us, p50 | mean |',
      '| --- | --- | --- |',
      ...legs.map(({ what, p50, mean }) => `| ${what} | ${round(p50, 1)} | ${round(mean, 1)} |`),
      `| sum | ${Math.round(sumOf(legs.map(({ p50 }) => p50)))} | ${Math.round(sumOf(legs.map(({ mean }) => mean)))} |`,
      '',
    ]),
  ];
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

function method(loads: readonly LoadCost[]): string[] {
  return [
    '## How it is measured',
    '',
    '- Rates, processor time and system calls are of a load without profiler: the counters of the kernel (`/proc/PID/task`), and of `GET /metrics`. The load is redis-benchmark.',
    '- Stages: right after it the main threads of all nodes are profiled (a sample each 0.5 ms). The time of a function counts for the stage of the nearest caller of the project, itself included',
    '  (`bench/lib/budget/stages.ts`); the shares are those of the profile, the sum that of the kernel.',
    '- Legs: a probe, put into running nodes through the inspector, notes when the main thread gives bytes to a socket or to the storage thread and when it gets some, on the clock that all processes share.',
    '  The way is found backwards from the answer: what is written was caused by the last that came in (`bench/lib/budget/critical-path.ts`). Nothing of it is in the code of a node.',
    '- `native code` holds what V8 cannot see into: epoll, reading from sockets, and waiting for a core that another process has.',
    '',
    ...loads.map(({ kind, connections }) => `![${kind} at ${connections}](${kind}-${connections}.svg)`),
    '',
  ];
}
