import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { encodeRecord } from '../store/storage/record.ts';
import { cpuTimeOf, untilQuiet } from './lib/cpu-time.ts';
import { putKeys, treesReady } from './lib/drift.ts';
import { callTree, hottest } from './lib/flame-graph.ts';
import { between, Foreground, type ForegroundLoad } from './lib/foreground.ts';
import { inspectorUrlIn, profileWhile } from './lib/inspector.ts';
import { type KvorumCluster, startKvorumCluster } from './lib/kvorum-cluster.ts';
import { type Watched, watchMoves } from './lib/move-watch.ts';
import { buildGo } from './lib/peers.ts';
import { measureRawCopy, type RawCopied } from './lib/raw-copy.ts';
import { type Figure, median, report, round, spread } from './lib/report.ts';
import { drawTimes } from './lib/time-plot.ts';

/**
 * `./dev.sh bench rebalance`: what it costs to go from three nodes to four: bytes that travel beside the least that must, how fast
 * they do when nothing else happens and under a load, beside the bare package, and what clients notice of it.
 */
const { values: flags } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    clients: { type: 'string', default: '16' },
    'put-percent': { type: 'string', default: '50' },
    'before-seconds': { type: 'string', default: '15' },
    only: { type: 'string', default: 'raw,idle,load' },
    /** Of the idle transfer, with a bare copy before and after each. */
    rounds: { type: 'string', default: '3' },
    set: { type: 'string', multiple: true, default: [] },
    plot: { type: 'string' },
    /** Of this many functions, where each of the main threads was while the cluster rebalances. */
    profile: { type: 'string', default: '0' },
  },
});
const keys = Number(flags.keys);
const parts = flags.only.split(',');
if (parts.includes('raw') && !parts.includes('idle'))
  throw new Error('--only raw is measured around each idle transfer: ask for --only raw,idle');
const VALUE_BYTES = 256;
const KEY_BYTES = 12;
const WINDOW_MS = 1000;
const AFTER_MS = 5000;
const QUIET_SECONDS_MAX = 120;
/** Behind the start of the fourth node; while it starts and joins it takes the processor too, and that is no move. */
const SETTINGS = {
  'cluster.rebalanceAfterMs': 3000,
  ...Object.fromEntries(flags.set.map((each) => each.split('=') as [string, string])),
};
const results: Record<string, Figure> = {};
const ratios: Record<string, number> = {};
const note = (text: string): void => void process.stderr.write(`${text}\n`);

/** A record as it travels and is stored. */
const recordBytes = encodeRecord(new Uint8Array(KEY_BYTES), {
  ...{ version: { wallMs: Date.now(), counter: 0, member: 1 }, isTombstone: false },
  ...{ expiresAtMs: undefined, contentType: undefined, value: new Uint8Array(VALUE_BYTES) },
}).length;
/** The fourth node comes to hold a quarter of three copies of everything. */
const leastBytes = Math.round((3 / 4) * keys * recordBytes);

async function withCluster<T>(use: (cluster: KvorumCluster) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(`${tmpdir()}/kvorum-rebalance-`);
  const cluster = await startKvorumCluster({
    ...{ nodes: 3, electionTimeoutMs: 1000, heartbeatMs: 100, directory, settings: SETTINGS },
    ...(flags.profile !== '0' && { environment: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } }),
  });
  try {
    await cluster.allServe();
    await treesReady(cluster);
    note(`filling ${keys} keys`);
    await putKeys(cluster, { keys, step: 1, value: 'v'.repeat(VALUE_BYTES), targets: [0, 1, 2] });
    // Else compaction of the keys just put takes a part of the processor from what is measured.
    await untilQuiet(cluster.pids as number[], QUIET_SECONDS_MAX);
    return await use(cluster);
  } finally {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureIdle(cluster: KvorumCluster): Promise<Watched> {
  await cluster.add();
  const cpuTimes = () => cluster.pids.map((pid) => cpuTimeOf(pid as number));
  let before = cpuTimes();
  const watch = () =>
    watchMoves(cluster, 4, () => {
      before = cpuTimes();
    });
  const watched = flags.profile === '0' ? await watch() : await profiled(cluster, watch);
  const spent = cluster.pids.map((pid, i) => {
    const [start, end] = [before[i], cpuTimeOf(pid as number)];
    const seconds = (part: 'mainSeconds' | 'otherSeconds') => round(end[part] - (start?.[part] ?? 0), 1);
    return `${seconds('mainSeconds')} + ${seconds('otherSeconds')}`;
  });
  note(`idle: ${told(watched)}; CPU seconds of main and other threads, by node: ${spent.join(', ')}`);
  return watched;
}

/** The node that receives, and one that gives. */
async function profiled(cluster: KvorumCluster, watch: () => Promise<Watched>): Promise<Watched> {
  let watched: Watched | undefined;
  const [receiver, giver] = await Promise.all(
    [3, 0].map((i) =>
      profileWhile(inspectorUrlIn(cluster.logOf(i)), async () => {
        watching ??= watch();
        watched = await watching;
      }),
    ),
  );
  for (const [name, profile] of Object.entries({ receiver, giver })) {
    if (profile === undefined) continue;
    process.stdout.write(`${name}\n`);
    for (const { what, share } of hottest(callTree(profile), Number(flags.profile)))
      process.stdout.write(`${(100 * share).toFixed(1).padStart(5)} %  ${what}\n`);
  }
  return watched as Watched;
}
let watching: Promise<Watched> | undefined;

type Loaded = { readonly watched: Watched; readonly load: ForegroundLoad };

async function measureLoaded(cluster: KvorumCluster, binary: string): Promise<Loaded> {
  const foreground = new Foreground({
    ...{ binary, endpoints: cluster.endpoints, clients: Number(flags.clients) },
    ...{ putPercent: Number(flags['put-percent']), valueBytes: VALUE_BYTES, keys, windowMs: WINDOW_MS },
  });
  await sleep(Number(flags['before-seconds']) * 1000);
  await cluster.add();
  const watch = () => watchMoves(cluster, 4);
  const watched = flags.profile === '0' ? await watch() : await profiled(cluster, watch);
  await sleep(AFTER_MS);
  const load = await foreground.end();
  note(`under load: ${told(watched)}; answers ${JSON.stringify(load.statuses)}`);
  return { watched, load };
}

const MIB = 2 ** 20;
const told = ({ bytes, seconds }: Pick<Watched, 'bytes' | 'seconds'>): string =>
  `${round(bytes / MIB, 1)} MiB in ${round(seconds, 1)} s, ${round(bytes / MIB / seconds, 1)} MiB/s`;
const rateOf = ({ bytes, seconds }: Pick<Watched, 'bytes' | 'seconds'>): number => bytes / MIB / seconds;

type Row = readonly [what: string, value: string, wanted: string];
const rows: Row[] = [];

/** One transfer on a cluster of its own, and the bare copies right before and after it. */
type Round = { readonly idle: Watched; readonly raw: readonly RawCopied[] };

async function measureRounds(): Promise<readonly Round[]> {
  const withRaw = async (): Promise<readonly RawCopied[]> =>
    parts.includes('raw') ? [await measureRaw()] : [];
  const done: Round[] = [];
  for (let i = 0; i < Number(flags.rounds); i++) {
    const before = await withRaw();
    const idle = await withCluster(measureIdle);
    done.push({ idle, raw: [...before, ...(await withRaw())] });
  }
  return done;
}

function tellRounds(rounds: readonly Round[]): void {
  const idle = rounds.map((each) => each.idle);
  const raw = rounds.flatMap((each) => each.raw);
  ratios.bytes = round(Math.max(...idle.map(({ bytes }) => bytes)) / leastBytes, 3);
  results.moved = { value: median(idle.map(({ bytes }) => bytes)), unit: 'B' };
  results.idle = { value: round(median(idle.map(rateOf)), 1), unit: 'MiB/s' };
  if (raw.length > 0) {
    results.raw = { value: round(median(raw.map(rateOf)), 1), unit: 'MiB/s' };
    rows.push([
      'the bare package: one store, a socket, another store',
      `${spread(raw.map(rateOf), 1)} MiB/s`,
      '',
    ]);
  }
  rows.push(
    ['records that travelled', `${round(results.moved.value / MIB, 1)} MiB`, ''],
    ['of the least possible, a quarter of all copies', String(ratios.bytes), 'at most 1.1'],
    ['transfer, nothing else happening', `${spread(idle.map(rateOf), 1)} MiB/s`, ''],
    ['changes of the topology', spread(idle.map(({ epochs }) => epochs)), ''],
  );
  if (raw.length === 0) return;
  const shares = rounds.map((each) => rateOf(each.idle) / median(each.raw.map(rateOf)));
  ratios.idle_to_raw = round(median(shares), 2);
  rows.push(['of the bare package', spread(shares, 2), 'at least 0.5']);
}

function tellLoaded({ watched, load }: Loaded): void {
  const { startedAtMs, endedAtMs } = watched;
  const joinMs = load.startedAtMs + Number(flags['before-seconds']) * 1000;
  const before = between(load, load.startedAtMs + 2 * WINDOW_MS, joinMs, WINDOW_MS);
  const during = between(load, startedAtMs, endedAtMs, WINDOW_MS);
  const after = between(load, endedAtMs + WINDOW_MS, endedAtMs + AFTER_MS, WINDOW_MS);
  ratios.foreground = round(during.perSecond / before.perSecond, 2);
  ratios.foreground_to_after = round(during.perSecond / after.perSecond, 2);
  ratios.foreground_p99 = round(during.p99Ms / before.p99Ms, 2);
  const bad = Object.entries(load.statuses).filter(([status]) => !['200', '204'].includes(status));
  results.loaded = { value: round(rateOf(watched), 1), unit: 'MiB/s' };
  results.before = { value: Math.round(before.perSecond), unit: '1/s' };
  results.during = { value: Math.round(during.perSecond), unit: '1/s' };
  results.after = { value: Math.round(after.perSecond), unit: '1/s' };
  results.before_p99 = { value: round(before.p99Ms), unit: 'ms' };
  results.during_p99 = { value: round(during.p99Ms), unit: 'ms' };
  rows.push(
    [`transfer under ${flags.clients} clients`, told(watched), ''],
    ['changes of the topology under load', String(watched.epochs), ''],
    ['requests a second before', String(Math.round(before.perSecond)), ''],
    [
      'requests a second during',
      `${Math.round(during.perSecond)}, ${ratios.foreground} of before`,
      'at least 0.7',
    ],
    [
      'requests a second after, of four nodes on the same cores',
      `${Math.round(after.perSecond)}; during ${ratios.foreground_to_after} of it`,
      '',
    ],
    ['p99 before', `${round(before.p99Ms)} ms`, ''],
    [
      'p99 during, median of seconds (worst)',
      `${round(during.p99Ms)} (${round(during.worstP99Ms)}) ms, ${ratios.foreground_p99} of before`,
      'below 3',
    ],
    [
      'answers other than 200 and 204',
      bad.map(([status, count]) => `${count} of ${status}`).join(', ') || 'none',
      '',
    ],
  );
}

async function measureRaw(): Promise<RawCopied> {
  const directory = mkdtempSync(`${tmpdir()}/kvorum-raw-`);
  try {
    const records = Math.round(0.75 * keys);
    const raw = await measureRawCopy({ directory, records, keyBytes: KEY_BYTES, valueBytes: recordBytes });
    note(`the bare package: ${told(raw)}`);
    return raw;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  if (parts.includes('idle')) tellRounds(await measureRounds());
  const directory = mkdtempSync(`${tmpdir()}/kvorum-load-`);
  const binary = parts.includes('load') ? buildGo('http-load', `${directory}/http-load`) : undefined;
  if (binary !== undefined) {
    const loaded = await withCluster((cluster) => measureLoaded(cluster, binary));
    tellLoaded(loaded);
    if (flags.plot !== undefined) {
      mkdirSync(new URL('../docs/benchmarks', import.meta.url), { recursive: true });
      writeFileSync(flags.plot, drawTimes(loaded.load.windows, loaded.load.startedAtMs, loaded.watched.seen));
    }
  }
  rmSync(directory, { recursive: true, force: true });
  process.stdout.write(
    `${keys} keys of ${VALUE_BYTES} bytes, 3 -> 4 nodes; load: ${flags['put-percent']} % puts\n\n| | | wanted |\n| --- | --- | --- |\n`,
  );
  for (const row of rows) process.stdout.write(`| ${row.join(' | ')} |\n`);
  process.stdout.write('\n');
  report('rebalance', results, ratios);
}

await main();
