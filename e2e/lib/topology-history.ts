import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterNode } from './cluster-node.ts';

/** What `GET /v1/topology` answers, as far as this check needs it. */
export type TopologyDocument = {
  readonly clusterId: string;
  readonly epoch: number;
  readonly settings: { readonly partitions: number; readonly replicationFactor: number };
  readonly partitions: readonly { readonly replicas: readonly number[]; readonly epoch: number }[];
  readonly members: readonly {
    readonly number: number;
    readonly name: string;
    readonly weight: number;
    readonly incarnation: number;
    readonly peerAddress: string;
    readonly httpAddress: string;
  }[];
  readonly namespaces: readonly { readonly name: string; readonly id: number }[];
};

const WAIT_MS = 2000;
const RETRY_MS = 30;

/**
 * The topology of each epoch as the nodes showed it. Throws where a node goes back within one life, or where two
 * nodes show different topologies of one epoch: either is a split of the history.
 */
export class TopologyHistory {
  readonly #epochs = new Map<number, { readonly digest: string; readonly by: string }>();
  readonly #weights = new Map<number, ReadonlyMap<string, number>>();
  /** Steps of more than one epoch between two looks of a follower: the states between were not seen by it. */
  skipped = 0;
  seen = 0;

  /** The weight that the member had at `epoch`; undefined where no node showed that epoch. */
  weightAt(epoch: number, member: string): number | undefined {
    return this.#weights.get(epoch)?.get(member);
  }

  get epochs(): number {
    return this.#epochs.size;
  }

  record(topology: TopologyDocument, by: string): void {
    this.seen += 1;
    const digest = createHash('sha256').update(canonical(topology)).digest('hex');
    const known = this.#epochs.get(topology.epoch);
    if (known === undefined) {
      this.#epochs.set(topology.epoch, { digest, by });
      this.#weights.set(topology.epoch, new Map(topology.members.map(({ name, weight }) => [name, weight])));
    } else if (known.digest !== digest) {
      throw new Error(`epoch ${topology.epoch} of ${by} is another than that of ${known.by}`);
    }
  }

  /** Follows what the node applies, over all of its lives, until `signal`. */
  async follow(node: ClusterNode, signal: AbortSignal): Promise<void> {
    let last = 0;
    let life = 0;
    while (!signal.aborted) {
      if (!node.isAwake) {
        await sleep(RETRY_MS);
        continue;
      }
      const { pid } = node.process;
      if (pid !== life) last = 0;
      life = pid;
      const answer = await node.request<TopologyDocument>(
        `/v1/topology?consistency=local&after=${last}&waitMs=${WAIT_MS}`,
        { signal, timeoutMs: 3 * WAIT_MS },
      );
      if (answer.type !== 'ok') await sleep(RETRY_MS);
      else if (answer.status !== 304) last = this.#advance(answer.body, last, `${node.name} (pid ${pid})`);
    }
  }

  #advance(topology: TopologyDocument, last: number, by: string): number {
    if (topology.epoch < last) throw new Error(`${by} went back from epoch ${last} to ${topology.epoch}`);
    if (last > 0 && topology.epoch > last + 1) this.skipped += topology.epoch - last - 1;
    this.record(topology, by);
    return topology.epoch;
  }
}

/** JSON with the fields of objects in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
