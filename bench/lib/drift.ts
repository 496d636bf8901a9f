import type { KvorumCluster } from './kvorum-cluster.ts';

/** What `GET /v1/repair` says, as far as it is needed here. */
export type RepairStatus = {
  readonly exchange: { readonly bytesSent: number };
  readonly trees: { readonly ready: number; readonly building: number };
};

/** A verification of all partitions, and what it sent. */
export type Verified = {
  readonly seconds: number;
  readonly keysRepaired: number;
  /** Records, hashes, keys and versions, by the count of the rounds themselves. */
  readonly countedBytes: number;
  /** Records alone. */
  readonly recordBytes: number;
  /** All bytes between the nodes less what they send while nothing happens. */
  readonly wireBytes: number;
};

const BATCH = 500;
const CLIENTS = 6;
const TREES_MS_MAX = 600_000;
const LOST = 2;

/** Puts `key-<i>` for all numbers from 0 to `keys`, `step` apart, to the nodes at `targets`. */
export async function putKeys(
  cluster: KvorumCluster,
  options: {
    readonly keys: number;
    readonly step: number;
    readonly value: string;
    readonly targets: readonly number[];
  },
): Promise<void> {
  const { keys, step, value, targets } = options;
  let next = 0;
  const loop = async (target: number): Promise<void> => {
    while (next < keys) {
      const from = next;
      next += BATCH * step;
      const count = Math.ceil((Math.min(keys, next) - from) / step);
      const operations = Array.from({ length: count }, (_, i) => ({
        op: 'put',
        key: `key-${from + i * step}`,
        value,
      }));
      const text = await cluster.ask(target, 'POST', '/v1/kv/default:batch', { operations });
      const { results } = JSON.parse(text) as { readonly results: readonly { readonly status: number }[] };
      const bad = results.find(({ status }) => status >= 300);
      if (bad !== undefined) throw new Error(`a put of a batch was answered ${JSON.stringify(bad)}`);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, i) => loop(targets[i % targets.length] as number)));
}

/** A full round of all partitions, now; throws unless all replicas are equal after it. */
export async function verifyAll(cluster: KvorumCluster, idleBytesPerSecond = 0): Promise<Verified> {
  const before = await totals(cluster);
  const startMs = performance.now();
  const text = await cluster.ask(0, 'POST', '/v1/verify');
  const seconds = (performance.now() - startMs) / 1000;
  const report = JSON.parse(text.trim().split('\n').at(-1) as string) as VerifyReport;
  if (report.type !== 'report' || report.equal !== report.partitions)
    throw new Error(`the replicas are not equal: ${JSON.stringify(report).slice(0, 1000)}`);
  const after = await totals(cluster);
  return {
    seconds,
    keysRepaired: report.keysRepaired,
    countedBytes: report.bytesSent,
    recordBytes: after.recordBytes - before.recordBytes,
    wireBytes: after.sentBytes - before.sentBytes - idleBytesPerSecond * seconds,
  };
}

type VerifyReport = {
  readonly type: string;
  readonly partitions: number;
  readonly equal: number;
  readonly keysRepaired: number;
  readonly bytesSent: number;
};

/**
 * One node misses the writes of each `step`-th key, without hints, and is back; a verification repairs it. The cluster
 * compares nothing by itself meanwhile, so all that is sent is the verification's.
 */
export async function repairDrift(
  cluster: KvorumCluster,
  { keys, step }: { readonly keys: number; readonly step: number },
): Promise<Verified> {
  await cluster.kill(LOST);
  await putKeys(cluster, { keys, step, value: 'd'.repeat(256), targets: [0, 1] });
  await cluster.restart(LOST);
  await cluster.allSeeAlive(LOST + 1);
  await treesReady(cluster);
  const verified = await verifyAll(cluster, await idleTraffic(cluster));
  const drifted = Math.ceil(keys / step);
  if (verified.keysRepaired !== drifted)
    throw new Error(`${drifted} keys had drifted, and ${verified.keysRepaired} were repaired`);
  return verified;
}

/** Waits until each replica has all its trees. */
export async function treesReady(cluster: KvorumCluster): Promise<void> {
  for (const i of cluster.endpoints.keys()) {
    await cluster.until(
      `trees of node ${i + 1}`,
      async () => {
        const { trees } = await cluster.get<RepairStatus>(i, '/v1/repair');
        return trees.building === 0 && trees.ready > 0;
      },
      TREES_MS_MAX,
    );
  }
}

async function totals(cluster: KvorumCluster): Promise<{ recordBytes: number; sentBytes: number }> {
  let [recordBytes, sentBytes] = [0, 0];
  for (const i of cluster.endpoints.keys()) {
    const { exchange } = await cluster.get<RepairStatus>(i, '/v1/repair');
    recordBytes += exchange.bytesSent;
    sentBytes += await sentBytesOf(cluster, i);
  }
  return { recordBytes, sentBytes };
}

async function sentBytesOf(cluster: KvorumCluster, i: number): Promise<number> {
  const text = await cluster.ask(i, 'GET', '/metrics');
  const found = /^kvorum_peer_link_bytes_total\{[^}]*direction="sent"[^}]*\} (\S+)$/m.exec(text);
  if (found === null) throw new Error('the metrics do not say what was sent to peers');
  return Number(found[1]);
}

const IDLE_MS = 10_000;

/** Bytes a second that all nodes together send while nothing happens: probes, heartbeats, roots. */
export async function idleTraffic(cluster: KvorumCluster): Promise<number> {
  const before = await totals(cluster);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const after = await totals(cluster);
  return ((after.sentBytes - before.sentBytes) * 1000) / IDLE_MS;
}
