import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { treesReady } from './drift.ts';
import { NEVER_MS } from './idle-cost.ts';
import { type KvorumCluster, startKvorumCluster } from './kvorum-cluster.ts';
import type { UpkeepPair, UpkeepSample } from './merkle-upkeep.ts';
import { buildGo } from './peers.ts';
import { cpuSeconds } from './process-cost.ts';

export type ClusterUpkeepOptions = {
  readonly rounds: number;
  readonly seconds: number;
  readonly keys: number;
};

const CLIENTS = 64;
const VALUE_BYTES = 256;
const run = promisify(execFile);

/** Puts on three real nodes with trees and without, in turns on the same processes; the time is that of all three, a put. */
export async function measureClusterUpkeep(options: ClusterUpkeepOptions): Promise<readonly UpkeepPair[]> {
  const directory = mkdtempSync(`${tmpdir()}/kvorum-cluster-upkeep-`);
  const binary = buildGo('http-load', `${directory}/http-load`);
  if (binary === undefined) return [];
  const cluster = await startKvorumCluster({
    ...{ nodes: 3, electionTimeoutMs: 1000, heartbeatMs: 100, directory },
    settings: { 'antiEntropy.intervalMs': NEVER_MS },
    environment: { NODE_OPTIONS: `--import=${process.cwd()}/bench/lib/tree-switch.ts` },
  });
  const pairs: UpkeepPair[] = [];
  try {
    await cluster.allServe();
    await treesReady(cluster);
    const load = () => measure(cluster, binary, options);
    await load();
    let isOn = true;
    for (let i = 0; i < options.rounds; i++) {
      const first = await load();
      switchTrees(cluster);
      const second = await load();
      pairs.push(isOn ? { on: first, off: second } : { on: second, off: first });
      isOn = !isOn;
    }
  } finally {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  return pairs;
}

function switchTrees(cluster: KvorumCluster): void {
  for (const pid of cluster.pids) if (pid !== undefined) process.kill(pid, 'SIGUSR2');
}

async function measure(
  cluster: KvorumCluster,
  binary: string,
  { seconds, keys }: ClusterUpkeepOptions,
): Promise<UpkeepSample> {
  const pids = cluster.pids.filter((pid) => pid !== undefined);
  const total = (): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const before = total();
  const args = [cluster.endpoints.join(','), CLIENTS, seconds, 100, VALUE_BYTES, keys];
  const { stdout } = await run(binary, args.map(String));
  const cpuUs = (total() - before) * 1e6;
  const { statuses, perSecond } = JSON.parse(stdout) as {
    readonly statuses: Readonly<Record<string, number>>;
    readonly perSecond: number;
  };
  const bad = Object.keys(statuses).filter((status) => status !== '204');
  if (bad.length > 0) throw new Error(`the load was answered ${JSON.stringify(statuses)}`);
  return { perSecond, cpuUs: cpuUs / (statuses['204'] as number) };
}
