import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs, promisify } from 'node:util';
import { type CpuTime, cpuTimeOf } from './lib/cpu-time.ts';
import type { KvLoad } from './lib/etcd-cluster.ts';
import { callTree, hottest, toSvg } from './lib/flame-graph.ts';
import { inspectorUrlIn, profileWhile } from './lib/inspector.ts';
import { type KvorumCluster, startKvorumCluster } from './lib/kvorum-cluster.ts';
import { buildGo } from './lib/peers.ts';
import { type Figure, report, round } from './lib/report.ts';

/**
 * `./dev.sh bench profile`: where the CPU goes in three real nodes under a load over HTTP: microseconds a request by process,
 * and with --svg the profile of the first node's main thread as a picture. CPU time says the same on a busy machine.
 */
const { values: flags } = parseArgs({
  options: {
    kind: { type: 'string', default: 'gets' },
    clients: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '1' },
    keys: { type: 'string', default: '100000' },
    top: { type: 'string', default: '0' },
    svg: { type: 'string' },
  },
});
const PUT_PERCENT: Readonly<Record<string, number>> = { puts: 100, gets: 0, mix: 5 };
const VALUE_BYTES = 256;
/** Each key once. */
const FILL = { clients: 64, seconds: 0, putPercent: 100 };
const WARM_UP_SECONDS = 3;
const run = promisify(execFile);

type Load = { readonly clients: number; readonly seconds: number; readonly putPercent: number };
type Loaded = KvLoad & { readonly cpuSeconds: number; readonly statuses: Readonly<Record<string, number>> };

const clients = Number(flags.clients);
const seconds = Number(flags.seconds);
const putPercent = PUT_PERCENT[flags.kind];
if (putPercent === undefined) throw new RangeError(`--kind is one of ${Object.keys(PUT_PERCENT).join(', ')}`);
const wanted: Load = { clients, seconds, putPercent };

async function measure(cluster: KvorumCluster, binary: string): Promise<void> {
  const load = async ({ clients, seconds, putPercent }: Load): Promise<Loaded> => {
    const args = [cluster.endpoints.join(','), clients, seconds, putPercent, VALUE_BYTES, Number(flags.keys)];
    const loaded = JSON.parse((await run(binary, args.map(String))).stdout) as Loaded;
    const bad = Object.keys(loaded.statuses).filter((status) => !['200', '204'].includes(status));
    if (bad.length > 0) throw new Error(`the load was answered ${JSON.stringify(loaded.statuses)}`);
    return loaded;
  };
  await load(FILL);
  await load({ ...wanted, seconds: WARM_UP_SECONDS });
  for (let i = 0; i < Number(flags.rounds); i++) await measureCpu(cluster, () => load(wanted));
  if (flags.svg === undefined && flags.top === '0') return;
  const profile = await profileWhile(inspectorUrlIn(cluster.logOf(0)), () => load(wanted));
  const root = callTree(profile);
  for (const { what, share } of hottest(root, Number(flags.top)))
    process.stdout.write(`${(100 * share).toFixed(1).padStart(5)} %  ${what}\n`);
  const title = `${flags.kind} at ${flags.clients} connections: main thread of one node of three`;
  if (flags.svg !== undefined) writeFileSync(flags.svg, toSvg(root, title));
}

const cpuTimes = (cluster: KvorumCluster): CpuTime[] => cluster.pids.map((pid) => cpuTimeOf(pid as number));
const results: Record<string, Figure> = {};

async function measureCpu(cluster: KvorumCluster, load: () => Promise<Loaded>): Promise<void> {
  const before = cpuTimes(cluster);
  const { perSecond, p99Ms, cpuSeconds } = await load();
  const after = cpuTimes(cluster);
  const requests = perSecond * seconds;
  const spent = (part: keyof CpuTime): number =>
    after.reduce((sum, time, i) => sum + time[part] - (before[i] as CpuTime)[part], 0);
  const micros = (cpu: number): number => round((1e6 * cpu) / requests, 1);
  const figures = {
    rate: { value: Math.round(perSecond), unit: '1/s' },
    p99: { value: round(p99Ms), unit: 'ms' },
    mainThreads: { value: micros(spent('mainSeconds')), unit: 'us/request' },
    otherThreads: { value: micros(spent('otherSeconds')), unit: 'us/request' },
    loadGenerator: { value: micros(cpuSeconds), unit: 'us/request' },
  };
  const told = Object.entries(figures).map(([name, { value, unit }]) => `${name} ${value} ${unit}`);
  process.stdout.write(`${told.join(', ')}\n`);
  Object.assign(results, figures);
}

const directory = mkdtempSync(`${tmpdir()}/kvorum-profile-`);
const binary = buildGo('http-load', `${directory}/http-load`);
if (binary !== undefined) {
  const cluster = await startKvorumCluster({
    nodes: 3,
    electionTimeoutMs: 1000,
    heartbeatMs: 100,
    directory,
    environment: { NODE_OPTIONS: '--inspect=127.0.0.1:0' },
  });
  try {
    await cluster.allServe();
    await measure(cluster, binary);
  } finally {
    await cluster.stop();
  }
  report('profile', results, {});
}
rmSync(directory, { recursive: true, force: true });
