import { setTimeout as sleep } from 'node:timers/promises';
import { type CpuProfile, Inspector, inspectorUrlIn, profileWhile } from '../inspector.ts';
import type { KvorumCluster } from '../kvorum-cluster.ts';
import { criticalPath, type Leg, type Route, routesOf } from './critical-path.ts';
import { type Kind, LoneClient, startLoad } from './resp-load.ts';
import { grown, scrape } from './scrape.ts';
import { startProbe, stopProbe } from './socket-probe.ts';
import { machineSeconds, type ProcessCost, processCost, spent } from './thread-cost.ts';

/** What a load cost, all nodes added up. */
export type LoadCost = {
  readonly kind: Kind;
  readonly connections: number;
  readonly nodes: number;
  readonly seconds: number;
  readonly operations: number;
  readonly fsyncs: number;
  /** Time that the synced batches took, added up. */
  readonly fsyncSeconds: number;
  /** Between members, sent. */
  readonly peerBytes: number;
  readonly threads: ProcessCost;
  readonly generatorSeconds: number;
  /** That anything on this machine had, these and the generator among them. */
  readonly machineSeconds: number;
  /** Of the main thread of each node, in a load of its own. */
  readonly profiles: readonly CpuProfile[];
};

export type MeasureOptions = {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** 0: no profile is taken. */
  readonly profileSeconds: number;
};

/** Loads all nodes evenly; first for what it costs, then for where the main threads spend it. */
export async function measureLoad(
  cluster: KvorumCluster,
  ports: readonly number[],
  { kind, connections }: { readonly kind: Kind; readonly connections: number },
  { seconds, warmUpSeconds, profileSeconds }: MeasureOptions,
): Promise<LoadCost> {
  const load = await startLoad(ports, kind, connections);
  try {
    await sleep(1000 * warmUpSeconds);
    const cost = await costOf(cluster, load.pids, kind, seconds);
    const profiles = profileSeconds === 0 ? [] : await profileAll(cluster, profileSeconds);
    return { kind, connections, nodes: ports.length, ...cost, profiles };
  } finally {
    await load.end();
  }
}

function profileAll(cluster: KvorumCluster, seconds: number): Promise<CpuProfile[]> {
  const urls = cluster.pids.map((_, i) => inspectorUrlIn(cluster.logOf(i)));
  return Promise.all(urls.map((url) => profileWhile(url, () => sleep(1000 * seconds))));
}

type Cost = Omit<LoadCost, 'kind' | 'connections' | 'nodes' | 'profiles'>;

async function costOf(
  cluster: KvorumCluster,
  loadPids: readonly number[],
  kind: Kind,
  seconds: number,
): Promise<Cost> {
  // The kernel is asked last, at once: a busy node may take long to say what it has counted.
  const look = async () => {
    const series = await scrape(cluster);
    return {
      series,
      atMs: performance.now(),
      nodes: cluster.pids.map((pid) => processCost(pid as number)),
      load: loadPids.map(processCost),
      machineSeconds: machineSeconds(),
    };
  };
  const before = await look();
  await sleep(1000 * seconds);
  const after = await look();
  const counted = (name: string): number => grown(before.series, after.series, name);
  const command = kind === 'puts' ? 'set' : 'get';
  let generatorSeconds = 0;
  for (const each of spent(before.load, after.load).values())
    generatorSeconds += each.userSeconds + each.systemSeconds;
  return {
    seconds: (after.atMs - before.atMs) / 1000,
    operations: counted(`kvorum_resp_command_duration_seconds_count{command="${command}"}`),
    fsyncs: counted('kvorum_storage_fsync_duration_seconds_count'),
    fsyncSeconds: counted('kvorum_storage_fsync_duration_seconds_sum'),
    peerBytes: counted('kvorum_peer_link_bytes_total{direction="sent"}'),
    threads: spent(before.nodes, after.nodes),
    generatorSeconds,
    machineSeconds: after.machineSeconds - before.machineSeconds,
  };
}

/** The way of operations that are alone, socket to socket. */
export type WayCost = {
  readonly kind: Kind;
  readonly operations: number;
  /** As the client sees it, in microseconds: without probes, and with them. */
  readonly bareMicros: readonly number[];
  readonly probedMicros: readonly number[];
  readonly routes: readonly Route[];
  /** Share of the operations whose way was found. */
  readonly found: number;
};

/** One client at the first node, one operation after the other. */
export async function measureWay(
  cluster: KvorumCluster,
  ports: readonly number[],
  kind: Kind,
  operations: number,
): Promise<WayCost> {
  const client = await LoneClient.connect(ports[0] as number);
  const urls = ports.map((_, i) => inspectorUrlIn(cluster.logOf(i)));
  const inspectors = await Promise.all(urls.map((url) => Inspector.connect(url)));
  try {
    await client.run(kind, operations);
    const bare = await client.run(kind, operations);
    await Promise.all(inspectors.map(startProbe));
    const spans = await client.run(kind, operations);
    const nodes = await Promise.all(inspectors.map(stopProbe));
    const trace = { nodes, asked: 0, clientLink: client.link };
    const paths = spans
      .map((span) => criticalPath(trace, span))
      .filter((path): path is Leg[] => path !== undefined);
    const took = (all: typeof spans): number[] =>
      all.map(({ sentMicros, answeredMicros }) => answeredMicros - sentMicros);
    return {
      kind,
      operations,
      bareMicros: took(bare),
      probedMicros: took(spans),
      routes: routesOf(paths),
      found: paths.length / spans.length,
    };
  } finally {
    for (const inspector of inspectors) inspector.close();
    client.close();
  }
}
