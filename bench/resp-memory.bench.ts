import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { markdownTable, writeDocPart } from './lib/doc-part.ts';
import { type HeldConnections, holdConnections } from './lib/held-connections.ts';
import { startKvorumCluster } from './lib/kvorum-cluster.ts';
import { runRespLoad } from './lib/peer-contenders.ts';
import { whenAndWhere } from './lib/peer-report.ts';
import { buildGo } from './lib/peers.ts';
import { residentMiB } from './lib/process-cost.ts';
import { type Figure, median, report, round } from './lib/report.ts';

/**
 * `./dev.sh bench resp-memory`: resident memory of one node of three while thousands of clients of Redis are connected to it and idle, and
 * others are busy; the busy ones send small values in pipelines, then large ones.
 */
const { values: flags } = parseArgs({
  options: {
    idle: { type: 'string', default: '10000' },
    busy: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    keys: { type: 'string', default: '100000' },
    doc: { type: 'boolean', default: false },
  },
});
const idle = Number(flags.idle);
const busy = Number(flags.busy);
const seconds = Number(flags.seconds);
const SETTLE_MS = 8000;
const SAMPLE_MS = 500;
const MIB = 1024;
/** Small values as everywhere; the large ones are together as much as a node may hold at once (`resp.inFlightBytesMax`). */
const LOADS = {
  small: { depth: 16, 'value-bytes': 256, keys: Number(flags.keys) },
  large: { depth: 4, 'value-bytes': 65_536, keys: 2000 },
} as const;

type Loaded = {
  readonly perSecond: number;
  readonly errors: Readonly<Record<string, number>>;
  /** Of the second quarter of the time, when all has warmed up, and of the last one. */
  readonly earlyMiB: number;
  readonly lateMiB: number;
  readonly peakMiB: number;
};

const directory = mkdtempSync(`${tmpdir()}/kvorum-resp-memory-`);
const binary = buildGo('resp-load', `${directory}/resp-load`);
if (binary === undefined) process.exit(1);
const cluster = await startKvorumCluster({
  ...{ nodes: 3, electionTimeoutMs: 1000, heartbeatMs: 100, directory },
  settings: { 'resp.connectionsMax': idle + busy + 100 },
});
const endpoint = cluster.respEndpoints[0] as string;
const resident = (): number => residentMiB(cluster.pids[0] as number);

/** Of the heap of V8, of the metrics: what is resident beside it belongs to the storage engine, to threads and to buffers. */
async function heapMiB(): Promise<number> {
  const text = await cluster.ask(0, 'GET', '/metrics');
  const found = /^kvorum_nodejs_heap_size_total_bytes\{?[^ ]* (\S+)$/m.exec(text);
  if (found === null) throw new Error('the metrics do not say how large the heap is');
  return Number(found[1]) / MIB / MIB;
}

async function noteSettled(name: string, what: string, more = ''): Promise<number> {
  await sleep(SETTLE_MS);
  const mib = resident();
  note(
    name,
    what,
    mib,
    [more, `heap ${Math.round(await heapMiB())} MiB`].filter((part) => part !== '').join('; '),
  );
  return mib;
}

async function load(
  name: keyof typeof LOADS,
  flags: Record<string, string | number | boolean>,
): Promise<Loaded> {
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(resident()), SAMPLE_MS);
  try {
    const sizes = { ...LOADS[name], 'key-prefix': `${name}-` };
    const { perSecond, errors } = await runRespLoad(binary as string, {
      endpoints: endpoint,
      ...sizes,
      ...flags,
    });
    const quarter = (i: number): readonly number[] =>
      samples.slice(Math.floor((i * samples.length) / 4), Math.ceil(((i + 1) * samples.length) / 4));
    return {
      ...{ perSecond, errors, earlyMiB: median(quarter(1)), lateMiB: median(quarter(3)) },
      peakMiB: Math.max(...samples),
    };
  } finally {
    clearInterval(timer);
  }
}

const busyLoad = { clients: busy, seconds, 'put-percent': 50 };
const results: Record<string, Figure> = {};
const rows: (readonly string[])[] = [];
function note(name: string, what: string, mib: number, more = ''): void {
  results[name] = { value: Math.round(mib), unit: 'MiB' };
  rows.push([what, String(Math.round(mib)), more]);
  process.stderr.write(`${what}: ${Math.round(mib)} MiB ${more}\n`);
}

function noteLoad(name: keyof typeof LOADS, { perSecond, errors, earlyMiB, lateMiB, peakMiB }: Loaded): void {
  const { depth, 'value-bytes': valueBytes } = LOADS[name];
  const refused = Object.entries(errors).map(([error, count]) => `${count} times ${error}`);
  const what = `${busy} busy ones beside them, ${depth} requests at once, half puts, values of ${valueBytes} bytes: greatest`;
  const answered = [`${Math.round(perSecond)} answers a second`, ...refused].join('; ');
  note(`busy_${name}_peak`, what, peakMiB, answered);
  note(`busy_${name}_early`, '... median of the second quarter of the time', earlyMiB);
  note(`busy_${name}_late`, '... of the last quarter', lateMiB, `${round(lateMiB / earlyMiB)} of the second`);
}

let held: HeldConnections | undefined;
try {
  await cluster.allServe();
  const before = await noteSettled('empty', 'without data, nobody connected');
  const startMs = performance.now();
  held = await holdConnections(binary, endpoint, idle);
  const openedS = round((performance.now() - startMs) / 1000);
  const withIdle = await noteSettled('idle', `${idle} idle connections`, `opened in ${openedS} s`);
  results.idle_each = { value: round(((withIdle - before) * MIB) / idle, 1), unit: 'KiB' };
  for (const name of ['small', 'large'] as const) {
    const { errors } = await load(name, { clients: 16, depth: 1, fill: true });
    if (Object.keys(errors).length > 0)
      throw new Error(`the import of ${name} values was answered ${JSON.stringify(errors)}`);
  }
  await noteSettled('filled', 'the same, with all keys');
  noteLoad('small', await load('small', busyLoad));
  noteLoad('large', await load('large', busyLoad));
  await noteSettled('idle_again', 'the busy ones are gone');
  await held.close();
  await noteSettled('closed', 'all are gone');
} finally {
  await held?.close();
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
}
const { day, commit, machine } = whenAndWhere();
const table = markdownTable(['one node of three', 'resident, MiB', ''], rows);
process.stdout.write(`${table}\n`);
if (flags.doc)
  writeDocPart('resp-memory', `${day}, commit ${commit}, ${machine}; ${seconds} s of each load.\n\n${table}`);
report('resp-memory', results, {});
