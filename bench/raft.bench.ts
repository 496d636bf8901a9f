import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { startEtcdCluster } from './lib/etcd-cluster.ts';
import { startKvorumCluster } from './lib/kvorum-cluster.ts';
import { loadRaftCore } from './lib/raft-core-load.ts';
import { type Figure, median, report, round, spread } from './lib/report.ts';

/**
 * `./dev.sh bench raft`: what the pure Raft core does in one process; and changes of the topology on three real nodes
 * beside puts on a three-node etcd, both durable, both asked at the leader, alternating.
 */
const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    'core-only': { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const IN_FLIGHT = [1, 16, 64];
const TIMES = { electionTimeoutMs: 1000, heartbeatMs: 100 };
/** About what a change of the topology weighs. */
const VALUE_BYTES = 64;

const samples = new Map<string, number[]>();
const sample = (name: string, value: number): void => {
  samples.set(name, [...(samples.get(name) ?? []), value]);
};

function measureCore(): void {
  for (const inFlight of IN_FLIGHT) {
    loadRaftCore(inFlight, 0.5);
    for (let i = 0; i < rounds; i++) {
      const { proposals, messages } = loadRaftCore(inFlight, seconds / 3);
      sample(`core_proposals_${inFlight}`, proposals);
      sample(`core_messages_${inFlight}`, messages);
    }
  }
}

/** A cluster under load: rates of what it does a second. */
type Contender = {
  readonly name: string;
  readonly measure: (clients: number) => Promise<number>;
  readonly stop: () => Promise<void>;
};

async function startKvorum(directory: string): Promise<Contender> {
  const cluster = await startKvorumCluster({ nodes: 3, ...TIMES, directory: `${directory}/kvorum` });
  return {
    name: 'kvorum',
    measure: async (clients) => cluster.changeLoad(await cluster.leader(), { clients, seconds }),
    stop: () => cluster.stop(),
  };
}

async function startEtcd(directory: string): Promise<Contender | undefined> {
  const cluster = await startEtcdCluster({ nodes: 3, ...TIMES, directory: `${directory}/etcd` });
  if (cluster === undefined) return undefined;
  return {
    name: 'etcd',
    async measure(clients) {
      const load = { clients, seconds, valueBytes: VALUE_BYTES };
      return (await cluster.putLoad(await cluster.leader(), load)).puts;
    },
    stop: () => cluster.stop(),
  };
}

async function measureClusters(): Promise<void> {
  const directory = mkdtempSync(`${tmpdir()}/kvorum-raft-`);
  const contenders: Contender[] = [];
  try {
    for (const [name, start] of Object.entries({ kvorum: startKvorum, etcd: startEtcd })) {
      if (flags.only !== undefined && flags.only !== name) continue;
      const contender = await start(directory);
      if (contender !== undefined) contenders.push(contender);
    }
    for (const inFlight of IN_FLIGHT) {
      for (let i = 1; i <= rounds; i++) {
        process.stderr.write(`${inFlight} in flight: round ${i} of ${rounds}\n`);
        for (const { name, measure } of contenders) sample(`${name}_${inFlight}`, await measure(inFlight));
      }
    }
  } finally {
    await Promise.all(contenders.map((contender) => contender.stop()));
    rmSync(directory, { recursive: true, force: true });
  }
}

measureCore();
if (!flags['core-only']) await measureClusters();

process.stdout.write(
  `a second, ${rounds} rounds, median (least-greatest); core: three members of the pure core in one process; kvorum: ` +
    'changes of the topology on 3 nodes; etcd: puts on 3 nodes\n',
);
const results: Record<string, Figure> = {};
for (const [name, values] of samples) {
  process.stdout.write(`${name.padEnd(20)} ${spread(values)}\n`);
  results[name] = { value: Math.round(median(values)), unit: '1/s' };
}
const ratios: Record<string, number> = {};
for (const inFlight of IN_FLIGHT) {
  const [kvorum, etcd] = [samples.get(`kvorum_${inFlight}`), samples.get(`etcd_${inFlight}`)];
  if (kvorum === undefined || etcd === undefined) continue;
  const ratio = round(median(kvorum.map((value, i) => value / (etcd[i] as number))));
  ratios[`kvorum_to_etcd_${inFlight}`] = ratio;
  process.stdout.write(`kvorum to etcd at ${inFlight} in flight: ${ratio}\n`);
}
report('raft', results, ratios);
