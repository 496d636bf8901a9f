import { mkdirSync, symlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../lib/cluster.ts';
import type { ClusterNode, NodeSettings } from '../lib/cluster-node.ts';
import { DataLoad } from '../lib/data-load.ts';
import { DataMap } from '../lib/data-map.ts';
import type { Fault } from '../lib/fault-windows.ts';
import { isInsideNetwork, Network } from '../lib/network.ts';
import { SmallDisk } from '../lib/small-disk.ts';

const SIZE_DEFAULT = 5;
const PARTITIONS = 16;
const DISK_MEGABYTES = 400;
/** The node whose directory is on a small disk. */
export const SMALL_DISK_INDEX = 5;
const STEADY = 100;
const READY_DEADLINE_MS = 60_000;

/** Five nodes, or another number of them, that hold three replicas of everything, the load on them, and what can be done to them. */
export class DataStage implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly map: DataMap;
  readonly load: DataLoad;
  readonly network: Network | undefined;
  readonly disk: SmallDisk | undefined;

  private constructor(parts: Pick<DataStage, 'cluster' | 'map' | 'load' | 'network' | 'disk'>) {
    this.cluster = parts.cluster;
    this.map = parts.map;
    this.load = parts.load;
    this.network = parts.network;
    this.disk = parts.disk;
  }

  /** `network` is made once in a life of the process, by the first stage. */
  static async start(options: {
    readonly directory: string;
    readonly engine: string;
    readonly network: Network | undefined;
    readonly hasSmallDisk: boolean;
    readonly size?: number;
    readonly settings?: NodeSettings;
  }): Promise<DataStage> {
    const { directory, engine, network, size = SIZE_DEFAULT } = options;
    mkdirSync(directory, { recursive: true });
    const disk = options.hasSmallDisk ? smallDiskIn(directory) : undefined;
    try {
      const cluster = await Cluster.start({
        ...{ directory, size, replicationFactor: 3 },
        settings: {
          'cluster.partitions': PARTITIONS,
          'cluster.initialMembers': size,
          'storage.engine': engine,
          ...options.settings,
        },
        ...(network === undefined ? {} : { place: (index: number) => network.place(index) }),
      });
      await allReady(cluster);
      const map = await DataMap.of(cluster.node(1));
      return new DataStage({ cluster, map, load: new DataLoad(cluster, map), network, disk });
    } catch (error) {
      disk?.[Symbol.dispose]();
      throw error;
    }
  }

  /** Notes that these nodes are broken from now on. */
  breaks(faulty: readonly ClusterNode[], sides?: Fault['sides']): void {
    const indexes = faulty.map(({ index }) => index);
    this.load.windows.open({ faulty: indexes, ...(sides === undefined ? {} : { sides }) });
  }

  /** The load goes on for so long, and gets done what it asks for at the nodes that are whole. */
  async goesOn(ms: number): Promise<void> {
    await this.load.progress(STEADY);
    await sleep(ms);
    await this.load.progress(STEADY);
  }

  /** All nodes run, are ready and agree; then none is broken any more, and the load goes on. */
  async isWholeAgain(): Promise<void> {
    await this.cluster.settled(READY_DEADLINE_MS);
    await allReady(this.cluster);
    this.load.windows.closeAll();
    this.load.wrongClocks.clear();
    await this.load.progress(STEADY);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.load[Symbol.asyncDispose]();
    await this.cluster[Symbol.asyncDispose]();
    this.disk?.[Symbol.dispose]();
  }
}

async function allReady(cluster: Cluster): Promise<void> {
  await cluster.until('not all nodes are ready', async () => {
    const ready = await Promise.all(cluster.nodes.map(({ process }) => process.waitReady(READY_DEADLINE_MS)));
    return ready.every((each) => each);
  });
}

function smallDiskIn(directory: string): SmallDisk {
  const disk = SmallDisk.create(directory, DISK_MEGABYTES);
  mkdirSync(`${disk.mountPoint}/node`);
  symlinkSync(`${disk.mountPoint}/node`, `${directory}/node-${SMALL_DISK_INDEX}`);
  return disk;
}

/** A network for all stages of this process, of five nodes or `size`; undefined where it has none of its own. */
export function networkOfProcess(size: number = SIZE_DEFAULT): Network | undefined {
  return isInsideNetwork() ? new Network({ size }) : undefined;
}
