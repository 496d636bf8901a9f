import assert from 'node:assert/strict';
import { Cluster } from './cluster.ts';
import type { NodeSettings } from './cluster-node.ts';
import { TestDirectory } from './test-directory.ts';

type Member = { readonly name: string; readonly respAddress?: string };

const SIZE = 3;
const READY_DEADLINE_MS = 30_000;

/** A cluster of three real nodes that keeps data, and where clients of Redis reach each of them. */
export class RespCluster implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly #directory: TestDirectory;
  #ports: ReadonlyMap<number, number> = new Map();

  private constructor(cluster: Cluster, directory: TestDirectory) {
    this.cluster = cluster;
    this.#directory = directory;
  }

  /** Every node of it is ready. */
  static async start(settings: NodeSettings = {}): Promise<RespCluster> {
    const directory = new TestDirectory();
    const cluster = await Cluster.create({
      ...{ directory: directory.path, size: SIZE },
      settings: { 'cluster.partitions': 8, 'cluster.initialMembers': SIZE, ...settings },
    });
    const started = new RespCluster(cluster, directory);
    try {
      for (const { index } of cluster.nodes) cluster.start(index);
      await cluster.settled();
      await started.ready();
    } catch (error) {
      await started[Symbol.asyncDispose]();
      throw error;
    }
    return started;
  }

  /** The RESP port of each node by its index from 1. */
  get ports(): ReadonlyMap<number, number> {
    return this.#ports;
  }

  portOf(index: number): number {
    const port = this.#ports.get(index);
    assert.ok(port, `kvorum-${index} has not said where clients of Redis reach it`);
    return port;
  }

  /** Waits until all nodes are, and have announced their ports. */
  async ready(): Promise<void> {
    for (const { process } of this.cluster.nodes) assert.ok(await process.waitReady(READY_DEADLINE_MS));
    this.#ports = await respPorts(this.cluster);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    this.#directory[Symbol.dispose]();
  }
}

async function respPorts(cluster: Cluster): Promise<ReadonlyMap<number, number>> {
  let ports = new Map<number, number>();
  await cluster.until('the members do not say where clients of Redis reach them', async () => {
    const node = cluster.awake()[0];
    const answer = await node?.request<{ members: readonly Member[] }>('/v1/members');
    if (answer?.type !== 'ok') return false;
    ports = new Map(
      answer.body.members.flatMap(({ name, respAddress }) =>
        respAddress === undefined
          ? []
          : [[Number(name.split('-')[1]), Number(respAddress.split(':').at(-1))]],
      ),
    );
    return ports.size === cluster.nodes.length;
  });
  return ports;
}
