import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Contender, startServers, VALUE_BYTES } from './lib/peer-contenders.ts';
import { writePeerDoc } from './lib/peer-doc.ts';
import {
  CONTENDERS,
  type ContenderName,
  isSame,
  type PeerSample,
  type Point,
  titleOf,
} from './lib/peer-points.ts';
import { type PeerRun, type PeerTrace, printRun, reportRun, whenAndWhere } from './lib/peer-report.ts';
import { cpuSeconds } from './lib/process-cost.ts';
import { median, round } from './lib/report.ts';
import { hasStrace } from './lib/sync-trace.ts';
import { tracePuts } from './lib/synced-puts.ts';

/**
 * `./dev.sh bench peers`: Kvorum over RESP and HTTP beside etcd and Redis, three durable nodes each on loopback, in turns.
 * docs/benchmarks.md says what each of them promises.
 */
const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '1,64,256' },
    depths: { type: 'string', default: '1,16' },
    kinds: { type: 'string', default: 'puts,gets' },
    keys: { type: 'string', default: '100000' },
    only: { type: 'string', default: CONTENDERS.join(',') },
    // Clients that all take one key; 0: left out.
    'one-key': { type: 'string', default: '64' },
    // Loads by the clock, at such a share of etcd's rate at as many clients; 0: left out.
    paced: { type: 'string', default: '0.5' },
    'warm-up': { type: 'string', default: '3' },
    // A look at 64 clients that is over within a minute or two.
    quick: { type: 'boolean', default: false },
    // Puts that are answered while strace looks when each server syncs; 0: left out.
    traced: { type: 'string', default: '2000' },
    // Writes the figures into docs/benchmarks.md, and the plots beside it.
    doc: { type: 'boolean', default: false },
    // Keeps what was measured, and tells of it again.
    save: { type: 'string' },
    from: { type: 'string' },
  },
});
if (flags.quick)
  Object.assign(flags, {
    rounds: '1',
    seconds: '2',
    clients: '64',
    paced: '0',
    'one-key': '0',
    'warm-up': '2',
    traced: '0',
  });
const numbers = (list: string): readonly number[] =>
  list
    .split(',')
    .filter((part) => part !== '')
    .map(Number);
const only = flags.only.split(',') as readonly ContenderName[];
if (!only.every((name) => CONTENDERS.includes(name)))
  throw new RangeError(`--only takes of ${CONTENDERS.join(', ')} (${flags.only})`);
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
if (!Number.isInteger(seconds) || seconds < 1)
  throw new RangeError(
    `--seconds is a whole number from 1 on: the load of etcd takes no other (${flags.seconds})`,
  );
const keys = Number(flags.keys);
const oneKeyClients = Number(flags['one-key']);
const paced = Number(flags.paced);
const kinds = flags.kinds.split(',') as readonly Point['kind'][];
const clientCounts = numbers(flags.clients);
/** Between turns: what the last one has left to do is not the next one's. */
const SETTLE_MS = 200;
const TRACED_LOOPS = 64;
/** Requests that the CPU of servers is told for. */
const CPU_REQUESTS = 100_000;

const points: Point[] = [];
for (const depth of numbers(flags.depths))
  for (const clients of clientCounts)
    for (const kind of kinds) points.push({ kind, clients, depth, isOneKey: false });
if (oneKeyClients > 0)
  for (const kind of kinds) points.push({ kind, clients: oneKeyClients, depth: 1, isOneKey: true });

const samples: PeerSample[] = [];

async function turn({ name, pids, measure }: Contender, point: Point): Promise<PeerSample> {
  await sleep(SETTLE_MS);
  const used = (): number => pids().reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const beforeSeconds = used();
  const {
    perSecond,
    p50Ms,
    p99Ms,
    p999Ms,
    operations,
    errors,
    cpuSeconds: loadSeconds,
  } = await measure(point, seconds);
  const per = CPU_REQUESTS / operations;
  const cpu = { cpuSeconds: (used() - beforeSeconds) * per, loadCpuSeconds: loadSeconds * per };
  return { name, point, perSecond, p50Ms, p99Ms, p999Ms, ...cpu, errors };
}

/** Each contender once, the other way round in each second round. */
async function measureRound(
  contenders: readonly Contender[],
  all: readonly Point[],
  i: number,
): Promise<void> {
  for (const point of all)
    for (const contender of i % 2 === 0 ? contenders.toReversed() : contenders) {
      if (!contender.takes(point)) continue;
      const sample = await turn(contender, point);
      samples.push(sample);
      const { perSecond, p50Ms, p99Ms, cpuSeconds: cpu, loadCpuSeconds } = sample;
      process.stderr.write(
        `${i}/${rounds} ${titleOf(point).padEnd(24)} ${contender.name.padEnd(11)} ${String(Math.round(perSecond)).padStart(7)}/s, ` +
          `p50 ${round(p50Ms)} ms, p99 ${round(p99Ms)} ms, CPU ${round(cpu)} s (load ${round(loadCpuSeconds)} s) per 100,000\n`,
      );
    }
}

/** At one rate for all, which etcd can answer: what latency is at equal load. */
function pacedPoints(): readonly Point[] {
  if (paced === 0) return [];
  return clientCounts
    .filter((clients) => clients > 1)
    .flatMap((clients) =>
      kinds.flatMap((kind) => {
        const point: Point = { kind, clients, depth: 1, isOneKey: false };
        const rates = samples.filter((each) => each.name === 'etcd' && isSame(each.point, point));
        if (rates.length === 0) return [];
        const perSecond = Math.round((paced * median(rates.map(({ perSecond }) => perSecond))) / 100) * 100;
        return perSecond === 0 ? [] : [{ ...point, perSecond }];
      }),
    );
}

/** After the rounds, on the same servers: tracing makes all of them slow. */
async function traceAll(contenders: readonly Contender[], directory: string): Promise<readonly PeerTrace[]> {
  const puts = Number(flags.traced);
  if (puts === 0) return [];
  if (!hasStrace()) {
    process.stderr.write('no trace of syncs: strace is missing: apt-get install strace\n');
    return [];
  }
  const traces: PeerTrace[] = [];
  for (const { name, pids, startPutting } of contenders) {
    if (startPutting === undefined) continue;
    const putting = startPutting(TRACED_LOOPS);
    const traced = { directory: `${directory}/trace-${name}`, pids: pids(), loops: TRACED_LOOPS, puts };
    const synced = await tracePuts({ ...traced, put: (loop, mark) => putting.put(loop, mark) });
    putting.close();
    process.stderr.write(`traced ${name}: ${JSON.stringify(synced)}\n`);
    traces.push({ name, ...synced });
  }
  return traces;
}

async function measureAll(): Promise<PeerRun> {
  const directory = mkdtempSync(`${tmpdir()}/kvorum-peers-`);
  const servers = await startServers({ directory, keys, only });
  try {
    const { contenders } = servers;
    for (const contender of contenders)
      for (const kind of kinds)
        if (Number(flags['warm-up']) > 0)
          await contender.measure({ kind, clients: 64, depth: 1, isOneKey: false }, Number(flags['warm-up']));
    for (let i = 1; i <= rounds; i++) await measureRound(contenders, points, i);
    const clocked = pacedPoints();
    for (let i = 1; i <= rounds; i++) await measureRound(contenders, clocked, i);
    const traces = await traceAll(contenders, directory);
    return { ...whenAndWhere(), rounds, seconds, keys, valueBytes: VALUE_BYTES, samples, traces };
  } finally {
    await servers.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

const run =
  flags.from === undefined ? await measureAll() : (JSON.parse(readFileSync(flags.from, 'utf8')) as PeerRun);
if (flags.save !== undefined) writeFileSync(flags.save, JSON.stringify(run));
printRun(run);
if (flags.doc) writePeerDoc(run);
reportRun(run);
