import { setTimeout as sleep } from 'node:timers/promises';
import { treesReady } from './drift.ts';
import type { KvorumCluster } from './kvorum-cluster.ts';
import { cpuSeconds, residentMiB } from './process-cost.ts';

/** Long enough that no comparison happens while it is measured. */
export const NEVER_MS = 3_600_000;
/** As `antiEntropy.intervalMs` is where nothing is set. */
const DEFAULT_MS = 3000;
/** After a start: compactions, links, the first comparisons. */
const SETTLE_MS = 15_000;

export type IdleCost = {
  /** Of a core, all nodes together. */
  readonly percentOn: number;
  readonly percentOff: number;
  /** All nodes together, after the start. */
  readonly residentMiB: number;
};

/** What an idle cluster costs with comparisons every so often as is the default, and with none; one after the other. */
export async function measureIdle(cluster: KvorumCluster, seconds: number): Promise<IdleCost> {
  const percentOn = await idlePercent(cluster, seconds, { 'antiEntropy.intervalMs': DEFAULT_MS });
  const resident = totalResidentMiB(cluster);
  const percentOff = await idlePercent(cluster, seconds, { 'antiEntropy.intervalMs': NEVER_MS });
  return { percentOn, percentOff, residentMiB: resident };
}

export function totalResidentMiB(cluster: KvorumCluster): number {
  return pidsOf(cluster).reduce((sum, pid) => sum + residentMiB(pid), 0);
}

async function idlePercent(
  cluster: KvorumCluster,
  seconds: number,
  settings: Readonly<Record<string, number>>,
): Promise<number> {
  const nodes = [...cluster.endpoints.keys()];
  await Promise.all(nodes.map((i) => cluster.end(i)));
  await Promise.all(nodes.map((i) => cluster.restart(i, settings)));
  await cluster.allServe();
  await treesReady(cluster);
  await sleep(SETTLE_MS);
  const pids = pidsOf(cluster);
  const before = pids.map(cpuSeconds);
  const startMs = performance.now();
  await sleep(seconds * 1000);
  const used = pids.reduce((sum, pid, i) => sum + cpuSeconds(pid) - (before[i] as number), 0);
  return (used / ((performance.now() - startMs) / 1000)) * 100;
}

function pidsOf(cluster: KvorumCluster): readonly number[] {
  return cluster.pids.filter((pid) => pid !== undefined);
}
