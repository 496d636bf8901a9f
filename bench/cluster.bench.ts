import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs, promisify } from 'node:util';
import { cpuTimeOf } from './lib/cpu-time.ts';
import { type KvLoad, type KvLoadOptions, startEtcdCluster } from './lib/etcd-cluster.ts';
import { startKvorumCluster } from './lib/kvorum-cluster.ts';
import { buildGo } from './lib/peers.ts';
import { type Figure, median, report, round, spread } from './lib/report.ts';

/**
 * `./dev.sh bench cluster`: puts, quorum gets and a mix on three real nodes over HTTP, beside a three-node etcd driven by its
 * Go client; both durable on every node, both asked at all three nodes, alternating.
 */
const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    clients: { type: 'string', default: '1,64,256' },
    keys: { type: 'string', default: '100000' },
    only: { type: 'string' },
    kinds: { type: 'string', default: 'puts,gets,mix' },
  },
});
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const keys = Number(flags.keys);
const clientCounts = flags.clients.split(',').map(Number);
const VALUE_BYTES = 256;
const TIMES = { electionTimeoutMs: 1000, heartbeatMs: 100 };
const PUT_PERCENT: Readonly<Record<string, number>> = { puts: 100, gets: 0, mix: 5 };
const kinds = flags.kinds.split(',');
const run = promisify(execFile);

type Contender = {
  readonly name: string;
  readonly measure: (load: KvLoadOptions) => Promise<KvLoad>;
  /** Of its nodes. */
  readonly pids: () => readonly (number | undefined)[];
  readonly stop: () => Promise<void>;
};

async function startKvorum(directory: string): Promise<Contender | undefined> {
  const binary = buildGo('http-load', `${directory}/http-load`);
  if (binary === undefined) return undefined;
  const cluster = await startKvorumCluster({ nodes: 3, ...TIMES, directory: `${directory}/kvorum` });
  await cluster.allServe();
  return {
    name: 'kvorum',
    async measure(load) {
      const { clients, putPercent } = load;
      const args = [cluster.endpoints.join(','), clients, load.seconds, putPercent, VALUE_BYTES, load.keys];
      const { stdout } = await run(binary, args.map(String));
      const result = JSON.parse(stdout) as KvLoad & { readonly statuses: Readonly<Record<string, number>> };
      const bad = Object.keys(result.statuses).filter((status) => !['200', '204'].includes(status));
      if (bad.length > 0) throw new Error(`the load was answered ${JSON.stringify(result.statuses)}`);
      return result;
    },
    pids: () => cluster.pids,
    stop: () => cluster.stop(),
  };
}

async function startEtcd(directory: string): Promise<Contender | undefined> {
  const cluster = await startEtcdCluster({ nodes: 3, ...TIMES, directory: `${directory}/etcd` });
  if (cluster === undefined) return undefined;
  return {
    name: 'etcd',
    measure: (load) => cluster.kvLoad(load),
    pids: () => cluster.members.map(({ pid }) => pid),
    stop: () => cluster.stop(),
  };
}

type Sample = KvLoad & {
  readonly name: string;
  readonly kind: string;
  readonly clients: number;
  /** What the three nodes together spent on a request: the rate of a busy machine says less. */
  readonly cpuMicros: number;
};
const samples: Sample[] = [];

async function measureAll(): Promise<void> {
  const directory = mkdtempSync(`${tmpdir()}/kvorum-cluster-`);
  const contenders: Contender[] = [];
  try {
    for (const [name, start] of Object.entries({ kvorum: startKvorum, etcd: startEtcd })) {
      if (flags.only !== undefined && flags.only !== name) continue;
      const contender = await start(directory);
      if (contender !== undefined) contenders.push(contender);
    }
    for (const { name, measure } of contenders) {
      process.stderr.write(`${name}: filling ${keys} keys\n`);
      await measure({ clients: 64, seconds: 0, putPercent: 100, valueBytes: VALUE_BYTES, keys });
    }
    for (const clients of clientCounts)
      for (let i = 1; i <= rounds; i++)
        for (const kind of kinds) await measureKind(contenders, kind, clients, i);
  } finally {
    await Promise.all(contenders.map((contender) => contender.stop()));
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureKind(
  contenders: readonly Contender[],
  kind: string,
  clients: number,
  i: number,
): Promise<void> {
  for (const { name, measure, pids } of i % 2 === 0 ? contenders : contenders.toReversed()) {
    const putPercent = PUT_PERCENT[kind] as number;
    const beforeSeconds = cpuSecondsOf(pids());
    const load = await measure({ clients, seconds, putPercent, valueBytes: VALUE_BYTES, keys });
    const cpuSeconds = cpuSecondsOf(pids()) - beforeSeconds;
    const cpuMicros = (1e6 * cpuSeconds) / (load.perSecond * seconds);
    const rate = Math.round(load.perSecond);
    process.stderr.write(
      `${kind} at ${clients}, round ${i} of ${rounds}, ${name}: ${rate}/s, p99 ${load.p99Ms} ms, ${round(cpuMicros, 1)} us of CPU\n`,
    );
    samples.push({ name, kind, clients, cpuMicros, ...load });
  }
}

function cpuSecondsOf(pids: readonly (number | undefined)[]): number {
  const times = pids.map((pid) => cpuTimeOf(pid as number));
  return times.reduce((sum, { mainSeconds, otherSeconds }) => sum + mainSeconds + otherSeconds, 0);
}

const of = (name: string, kind: string, clients: number): readonly Sample[] =>
  samples.filter((each) => each.name === name && each.kind === kind && each.clients === clients);

await measureAll();
process.stdout.write(
  `a second, p99 in ms and CPU of the nodes in us a request, ${rounds} rounds of ${seconds} s, median (least-greatest); 3 nodes, ${VALUE_BYTES}-byte values, ` +
    `${keys} keys, fsync on each node; mix: 95 gets to 5 puts\n`,
);
const results: Record<string, Figure> = {};
const ratios: Record<string, number> = {};
for (const clients of clientCounts) {
  for (const kind of kinds) {
    for (const name of ['kvorum', 'etcd']) {
      const taken = of(name, kind, clients);
      if (taken.length === 0) continue;
      const rates = taken.map(({ perSecond }) => perSecond);
      const p99 = median(taken.map(({ p99Ms }) => p99Ms));
      const cpu = median(taken.map(({ cpuMicros }) => cpuMicros));
      process.stdout.write(
        `${`${kind} at ${clients}`.padEnd(13)} ${name.padEnd(7)} ${spread(rates).padEnd(28)} p99 ${round(p99)}, CPU ${round(cpu, 1)} us\n`,
      );
      results[`${name}_${kind}_${clients}`] = { value: Math.round(median(rates)), unit: '1/s' };
      results[`${name}_${kind}_${clients}_p99`] = { value: round(p99), unit: 'ms' };
      results[`${name}_${kind}_${clients}_cpu`] = { value: round(cpu, 1), unit: 'us' };
    }
    const [ours, theirs] = [of('kvorum', kind, clients), of('etcd', kind, clients)];
    if (ours.length === 0 || theirs.length === 0) continue;
    const pairs = ours.map(({ perSecond }, i) => perSecond / (theirs[i] as Sample).perSecond);
    const p99s = ours.map(({ p99Ms }, i) => p99Ms / (theirs[i] as Sample).p99Ms);
    ratios[`${kind}_${clients}`] = round(median(pairs));
    ratios[`${kind}_${clients}_p99`] = round(median(p99s));
    process.stdout.write(
      `${' '.repeat(13)} ratio   ${round(median(pairs))}, of p99 ${round(median(p99s))}\n`,
    );
  }
}
report('cluster', results, ratios);
