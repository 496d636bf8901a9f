import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs, promisify } from 'node:util';
import { type KvorumCluster, startKvorumCluster } from './lib/kvorum-cluster.ts';
import { buildGo } from './lib/peers.ts';
import { type Figure, median, report, round } from './lib/report.ts';
import { prepareSlowFsync, type SlowFsync } from './lib/slow-fsync.ts';

/**
 * `./dev.sh bench slow-replica`: what the latencies of three real nodes become while each fsync of one of them takes 200 ms
 * longer, and while one of them is dead and known to be. Healthy and slow alternate on the same processes.
 */
const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    'dead-rounds': { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '64' },
    keys: { type: 'string', default: '100000' },
    'delay-ms': { type: 'string', default: '200' },
    kinds: { type: 'string', default: 'puts,gets,mix,hot' },
    spreads: { type: 'string', default: 'two,three' },
  },
});
const rounds = Number(flags.rounds);
const deadRounds = Number(flags['dead-rounds']);
const seconds = Number(flags.seconds);
const keys = Number(flags.keys);
const delayMs = Number(flags['delay-ms']);
const kinds = flags.kinds.split(',');
const VALUE_BYTES = 256;
/** `hot` reads and writes few keys, so that most reads come upon a write that the slow replica has not got yet. */
const KINDS: Readonly<Record<string, { readonly putPercent: number; readonly keys: number }>> = {
  puts: { putPercent: 100, keys },
  gets: { putPercent: 0, keys },
  mix: { putPercent: 5, keys },
  hot: { putPercent: 50, keys: 100 },
};
/** Nodes that the connections are spread over; the last one is the one that becomes slow, or dies. */
const NODES_ASKED: Readonly<Record<string, number>> = { two: 2, three: 3 };
const WEAK = 2;
const GOOD_STATUSES = ['200', '204', '404'];
const run = promisify(execFile);

type Load = {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
};
type State = 'healthy' | 'slow' | 'dead';
type Sample = Load & { readonly kind: string; readonly spread: string; readonly state: State };
type Bench = { readonly cluster: KvorumCluster; readonly binary: string; readonly disk: SlowFsync };

/** Of healthy against slow, and of healthy against dead: they alternate among themselves. */
const slowSamples: Sample[] = [];
const deadSamples: Sample[] = [];

async function load(
  { cluster, binary }: Bench,
  kind: string,
  spread: string,
  longS = seconds,
): Promise<Load> {
  const endpoints = cluster.endpoints.slice(0, NODES_ASKED[spread]).join(',');
  const of = KINDS[kind];
  if (of === undefined) throw new RangeError(`--kinds: ${kind} is none of ${Object.keys(KINDS).join(', ')}`);
  const args = [endpoints, flags.clients, longS, of.putPercent, VALUE_BYTES, of.keys];
  const { stdout } = await run(binary, args.map(String));
  const result = JSON.parse(stdout) as Load & { readonly statuses: Readonly<Record<string, number>> };
  const bad = Object.keys(result.statuses).filter((status) => !GOOD_STATUSES.includes(status));
  if (bad.length > 0) throw new Error(`the load was answered ${JSON.stringify(result.statuses)}`);
  return result;
}

async function take(bench: Bench, into: Sample[], at: Omit<Sample, keyof Load>, i: number): Promise<void> {
  const taken = await load(bench, at.kind, at.spread);
  into.push({ ...at, ...taken });
  const figures = `${Math.round(taken.perSecond)}/s, p50 ${taken.p50Ms} ms, p99 ${taken.p99Ms} ms, p99.9 ${taken.p999Ms} ms`;
  process.stderr.write(`${at.kind} over ${at.spread}, ${at.state}, round ${i}: ${figures}\n`);
}

async function measureSlow(bench: Bench): Promise<void> {
  await checkDelay(bench);
  for (let i = 1; i <= rounds; i++) {
    for (const kind of kinds) {
      for (const spread of flags.spreads.split(',')) {
        const states: State[] = i % 2 === 0 ? ['slow', 'healthy'] : ['healthy', 'slow'];
        for (const state of states) {
          bench.disk.setDelayMs(state === 'slow' ? delayMs : 0);
          await hintsAreGone(bench.cluster);
          await load(bench, kind, spread, 1);
          await take(bench, slowSamples, { kind, spread, state }, i);
        }
      }
    }
  }
  bench.disk.setDelayMs(0);
}

/** A put that every replica must hold takes as long as the slowest of them. */
async function checkDelay({ cluster, disk }: Bench): Promise<void> {
  disk.setDelayMs(delayMs);
  const startMs = performance.now();
  const answer = await fetch(`http://${cluster.endpoints[0]}/v1/kv/default/delay?w=all`, {
    method: 'PUT',
    body: 'x',
  });
  const tookMs = performance.now() - startMs;
  if (!answer.ok) throw new Error(`a put at w=all answered ${answer.status}: ${await answer.text()}`);
  if (tookMs < delayMs) throw new Error(`a put at w=all took ${tookMs} ms: the fsyncs are not delayed`);
  process.stderr.write(`a put at w=all takes ${Math.round(tookMs)} ms with the delay\n`);
  disk.setDelayMs(0);
}

async function measureDead(bench: Bench): Promise<void> {
  const { cluster } = bench;
  for (let i = 1; i <= deadRounds; i++) {
    for (const kind of kinds) await take(bench, deadSamples, { kind, spread: 'two', state: 'healthy' }, i);
    await cluster.kill(WEAK);
    await cluster.allSeeAlive(WEAK);
    for (const kind of kinds) await take(bench, deadSamples, { kind, spread: 'two', state: 'dead' }, i);
    await cluster.restart(WEAK);
    await cluster.allSeeAlive(WEAK + 1);
    await cluster.allServe();
    await hintsAreGone(cluster);
  }
}

/** What one round left behind is not to slow the next one. */
async function hintsAreGone(cluster: KvorumCluster): Promise<void> {
  for (let i = 0; i < cluster.endpoints.length; i++) {
    await cluster.until('hints replayed', async () => {
      const status = await cluster.get<{ readonly hints: { readonly count: number } }>(i, '/v1/repair');
      return status.hints.count === 0;
    });
  }
}

async function measureAll(): Promise<boolean> {
  const directory = mkdtempSync(`${tmpdir()}/kvorum-slow-replica-`);
  const binary = buildGo('http-load', `${directory}/http-load`);
  if (binary === undefined) return false;
  using disk = prepareSlowFsync(directory);
  const cluster = await startKvorumCluster({
    nodes: WEAK + 1,
    ...{ electionTimeoutMs: 1000, heartbeatMs: 100, directory },
    environmentOf: (i) => (i === WEAK ? disk.environment : {}),
  });
  try {
    await cluster.allServe();
    const bench = { cluster, binary, disk };
    process.stderr.write(`filling ${keys} keys\n`);
    await load(bench, 'puts', 'three', 4 * seconds);
    if (rounds > 0) await measureSlow(bench);
    if (deadRounds > 0) await measureDead(bench);
    return true;
  } finally {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

const results: Record<string, Figure> = {};
const ratios: Record<string, number> = {};

function of(samples: readonly Sample[], kind: string, spread: string, state: State): readonly Load[] {
  return samples.filter((one) => one.kind === kind && one.spread === spread && one.state === state);
}

/** A line for each state, and the ratio of the p99s, pair by pair. */
function tell(samples: readonly Sample[], kind: string, spread: string, weak: State): void {
  const [healthy, weakened] = [of(samples, kind, spread, 'healthy'), of(samples, kind, spread, weak)];
  if (healthy.length === 0 || weakened.length === 0) return;
  for (const [state, taken] of [['healthy', healthy] as const, [weak, weakened] as const]) {
    const rate = Math.round(median(taken.map(({ perSecond }) => perSecond)));
    const name = `${kind} over ${spread}, ${state}`.padEnd(27);
    const figures = `p50 ${range(taken.map(({ p50Ms }) => p50Ms))}  p99 ${range(taken.map(({ p99Ms }) => p99Ms))}`;
    process.stdout.write(`${name} ${String(rate).padStart(6)}/s  ${figures}\n`);
    const key = `${weak}_${kind}_${spread}_${state}`;
    results[key] = { value: rate, unit: '1/s' };
    results[`${key}_p99`] = { value: round(median(taken.map(({ p99Ms }) => p99Ms))), unit: 'ms' };
  }
  const pairs = weakened.map(({ p99Ms }, i) => p99Ms / (healthy[i] as Load).p99Ms);
  ratios[`${weak}_${kind}_${spread}_p99`] = round(median(pairs));
  process.stdout.write(`${' '.repeat(27)} p99 ${weak} / healthy: ${range(pairs)}\n`);
}

function range(values: readonly number[]): string {
  return `${round(median(values))} (${round(Math.min(...values))}-${round(Math.max(...values))})`;
}

if (await measureAll()) {
  process.stdout.write(
    `ms, median (least-greatest), ${rounds} rounds healthy/slow and ${deadRounds} healthy/dead of ${seconds} s; 3 nodes, ` +
      `${flags.clients} connections, ${keys} keys of ${VALUE_BYTES} bytes; slow: each fsync of one node takes ${delayMs} ms more\n`,
  );
  for (const kind of kinds) {
    for (const spread of flags.spreads.split(',')) tell(slowSamples, kind, spread, 'slow');
    tell(deadSamples, kind, 'two', 'dead');
  }
  report('slow-replica', results, ratios);
}
