import { setTimeout as sleep } from 'node:timers/promises';
import { bareFsync } from '../budget/bare-fsync.ts';
import { type LoadCost, measureLoad } from '../budget/measure.ts';
import { summaryOf } from '../budget/page.ts';
import { fill, type Kind, respPortsOf } from '../budget/resp-load.ts';
import { cpuOf, NO_COST, processCost, spent } from '../budget/thread-cost.ts';
import { type KvorumCluster, startKvorumCluster } from '../kvorum-cluster.ts';
import { quantile } from '../report.ts';
import type { CostSample } from './costs.ts';

/** A load on a real cluster, and what of the machine it had. */
export type RealLoad = CostSample & {
  /** Cores that nodes and load generator had together, and that anything else on the machine had. */
  readonly coresUsed: number;
  readonly coresOfOthers: number;
};

export type RealRun = {
  readonly loads: readonly RealLoad[];
  /** A node that has nothing to do, microseconds a second. */
  readonly idleMicros: number;
  readonly fsyncMicros: number;
};

export type RealOptions = {
  readonly nodes: number;
  readonly connections: readonly number[];
  readonly seconds: number;
  readonly rounds: number;
  readonly directory: string;
};

const WARM_UP_SECONDS = 2;
const PROFILE_SECONDS = 3;
const IDLE_SECONDS = 8;
const KINDS: readonly Kind[] = ['puts', 'gets'];

/** Puts and gets at each number of connections; profiled at the largest. */
export async function measureReal(options: RealOptions): Promise<RealRun> {
  const { nodes, connections, seconds, rounds, directory } = options;
  const cluster = await startKvorumCluster({
    ...{ nodes, electionTimeoutMs: 1000, heartbeatMs: 100, directory },
    environment: { NODE_OPTIONS: '--inspect=127.0.0.1:0' },
  });
  try {
    await cluster.allServe();
    const ports = await respPortsOf(cluster);
    await fill(ports);
    const idleMicros = await idleOf(cluster);
    const loads: RealLoad[] = [];
    for (let i = 1; i <= rounds; i++)
      for (const count of connections)
        for (const kind of KINDS) {
          process.stderr.write(`${nodes} nodes, ${kind} at ${count}, round ${i} of ${rounds}\n`);
          const profileSeconds = count === connections.at(-1) ? PROFILE_SECONDS : 0;
          const times = { seconds, warmUpSeconds: WARM_UP_SECONDS, profileSeconds };
          loads.push(sampleOf(await measureLoad(cluster, ports, { kind, connections: count }, times)));
        }
    return { loads: cheapest(loads), idleMicros, fsyncMicros: quantile(bareFsync(directory), 0.1) };
  } finally {
    await cluster.stop();
  }
}

/** Of the rounds of each load the one that took least of the processor: whoever else is on the machine only adds to it. */
function cheapest(loads: readonly RealLoad[]): readonly RealLoad[] {
  const cpu = ({ mainMicros, storageMicros, otherMicros }: RealLoad): number =>
    mainMicros + storageMicros + otherMicros;
  const groups = Map.groupBy(loads, ({ kind, connections }) => `${kind} ${connections}`);
  return [...groups.values()].map((group) =>
    group.reduce((least, load) => (cpu(load) < cpu(least) ? load : least)),
  );
}

async function idleOf(cluster: KvorumCluster): Promise<number> {
  await sleep(2000);
  const look = () => cluster.pids.map((pid) => processCost(pid as number));
  const before = look();
  await sleep(1000 * IDLE_SECONDS);
  let seconds = 0;
  for (const cost of spent(before, look()).values()) seconds += cpuOf(cost);
  return (1e6 * seconds) / (IDLE_SECONDS * cluster.pids.length);
}

function sampleOf(load: LoadCost): RealLoad {
  const { kind, connections, nodes, operations, threads, fsyncs, generatorSeconds, seconds } = load;
  const micros = (threadSeconds: number): number => (1e6 * threadSeconds) / operations;
  const main = threads.get('main') ?? NO_COST;
  const storage = cpuOf(threads.get('storage threads') ?? NO_COST);
  const all = [...threads.values()].reduce((sum, cost) => sum + cpuOf(cost), 0);
  const groups = fsyncs / operations;
  const { rate, stages } = summaryOf(load);
  return {
    ...{ kind, connections, nodes, groups },
    perSecond: rate,
    mainMicros: micros(cpuOf(main)),
    storageMicros: micros(storage),
    otherMicros: micros(all - cpuOf(main) - storage),
    generatorMicros: micros(generatorSeconds),
    // A write to each client's socket, one to wake the storage thread for each group; the others are frames.
    frames: Math.max(0, main.writes / operations - 1 - groups),
    stages: Object.fromEntries(stages),
    coresUsed: (all + generatorSeconds) / seconds,
    coresOfOthers: Math.max(0, (load.machineSeconds - all - generatorSeconds) / seconds),
  };
}
