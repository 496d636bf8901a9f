import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterStatus } from '../../store/cluster/cluster-admin.ts';
import { SETTINGS } from '../../store/config/settings.ts';
import { voterCount } from '../../store/core/topology/voters.ts';
import type { AdminAnswer } from './admin-request.ts';
import { ClusterNode, LOOPBACK, type NodeSettings, type Place } from './cluster-node.ts';

export type ClusterOptions = {
  /** Holds a directory for each node. */
  readonly directory: string;
  readonly size: number;
  readonly replicationFactor?: number;
  /** For every node. */
  readonly settings?: NodeSettings;
  /** Where the i-th node (from 1) is run; loopback where absent. */
  readonly place?: (index: number) => Place;
};

const DEADLINE_MS = 30_000;
const LOOK_MS = 20;
/** A few heartbeats: whatever a leader had still to append is appended. */
const STILL_MS = 300;

/** A cluster of real `kvorum server` processes. Nodes are named by their numbers from 1; the first one makes the cluster. */
export class Cluster implements AsyncDisposable {
  readonly #options: ClusterOptions;
  readonly #nodes: ClusterNode[] = [];

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** With their ports, and none of them started. */
  static async create(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    for (let index = 1; index <= options.size; index++) await cluster.addNode();
    return cluster;
  }

  /** Starts all nodes and waits until they are one cluster. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = await Cluster.create(options);
    try {
      for (const node of cluster.#nodes) cluster.start(node.index);
      await cluster.settled();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  get nodes(): readonly ClusterNode[] {
    return this.#nodes;
  }

  node(index: number): ClusterNode {
    const found = this.#nodes[index - 1];
    if (found === undefined) throw new Error(`there is no node ${index}`);
    return found;
  }

  /** Another node with its ports, not started yet. */
  async addNode(): Promise<ClusterNode> {
    const { directory, place } = this.#options;
    const index = this.#nodes.length + 1;
    const node = new ClusterNode({ index, directory, place: place?.(index) ?? LOOPBACK });
    await node.takePorts();
    this.#nodes.push(node);
    return node;
  }

  /** `settings` and `environment` are of this node alone, until its next start. */
  start(
    index: number,
    settings: NodeSettings = {},
    environment: Readonly<Record<string, string>> = {},
  ): void {
    const others = this.#nodes.filter((node) => node.index !== index);
    const all = {
      'cluster.replicationFactor': this.#options.replicationFactor ?? Math.min(3, this.#options.size),
      'cluster.bootstrap': String(index === 1),
      'cluster.seeds': others.map((node) => node.peerAddress).join(','),
      ...this.#options.settings,
      ...settings,
    };
    this.node(index).start(all, environment);
  }

  async restart(index: number, { withNewPorts }: { readonly withNewPorts: boolean }): Promise<void> {
    if (withNewPorts) await this.node(index).takePorts();
    this.start(index);
  }

  /** kill -9 */
  async kill(index: number): Promise<void> {
    await this.node(index).process.kill();
  }

  /** SIGTERM; resolves with the exit code. */
  stop(index: number): Promise<number | string> {
    return this.node(index).process.stop();
  }

  /** Those that run and are not paused. */
  awake(): readonly ClusterNode[] {
    return this.#nodes.filter((node) => node.isAwake);
  }

  async status(index: number): Promise<ClusterStatus> {
    const status = await this.node(index).status();
    if (status === undefined) throw new Error(`kvorum-${index} does not answer`);
    return status;
  }

  /** The node that leads as itself and most nodes say, in one term; waits for it. */
  async leader(among: readonly ClusterNode[] = this.awake()): Promise<ClusterNode> {
    let leader: ClusterNode | undefined;
    await this.until('no leader that a majority names', async () => {
      const statuses = await Promise.all(among.map((node) => node.status()));
      leader = among.find((node, i) => {
        const own = statuses[i];
        const named = statuses.filter((each) => each?.leader?.name === node.name && each.term === own?.term);
        return own?.node.role === 'leader' && named.length > this.#nodes.length / 2;
      });
      return leader !== undefined;
    });
    return leader as ClusterNode;
  }

  /** Gives the member a weight, through the node `index`. */
  change(index: number, member: string, weight: number): Promise<AdminAnswer<{ readonly epoch: number }>> {
    return this.node(index).request(`/v1/members/${member}`, { method: 'PATCH', body: { weight } });
  }

  /**
   * Waits until the nodes that run are members of one cluster, see each other, agree on the epoch and the leader, and
   * as many vote as should: before that the next fault could meet a cluster that survives none. The log must stand
   * still, too: a status does not show the old half of a joint configuration, whose majority is needed until it ends.
   */
  async settled(deadlineMs: number = DEADLINE_MS): Promise<void> {
    await this.until(
      'the nodes did not settle',
      async () => {
        const before = await this.#settledState();
        if (before === undefined) return false;
        await sleep(STILL_MS);
        return before === (await this.#settledState());
      },
      deadlineMs,
    );
  }

  /** What the nodes agree on; undefined where they do not. */
  async #settledState(): Promise<string | undefined> {
    const awake = this.awake();
    const statuses = await Promise.all(awake.map((node) => node.status()));
    const isSettled = (status: ClusterStatus | undefined): boolean =>
      status?.node.state === 'member' &&
      status.leader !== undefined &&
      status.members.alive === awake.length &&
      status.quorum.state === 'ok' &&
      status.quorum.voters.length === voterCount(status.members.total, SETTINGS['cluster.votersMax'].default);
    const facts = statuses.map(
      (each) => `${each?.clusterId} ${each?.epoch} ${each?.leader?.name} ${each?.appliedIndex}`,
    );
    return new Set(facts).size === 1 && statuses.every(isSettled) ? facts[0] : undefined;
  }

  /** Polls; at the deadline throws with what each node says. */
  async until(what: string, condition: () => Promise<boolean>, deadlineMs = DEADLINE_MS): Promise<void> {
    const end = performance.now() + deadlineMs;
    while (performance.now() < end) {
      if (await condition()) return;
      await sleep(LOOK_MS);
    }
    throw new Error(`${what} within ${deadlineMs / 1000} s:\n${await this.describe()}`);
  }

  /** What every node says of itself, and the end of the log of those that say nothing. */
  async describe(): Promise<string> {
    const lines = await Promise.all(
      this.#nodes.map(async (node) => {
        const status = await node.status();
        if (status !== undefined) return `${node.name}: ${JSON.stringify(status)}`;
        const log = existsSync(node.directory) ? node.process.logTail() : 'never started';
        return `${node.name}: ${node.isRunning ? 'no answer' : 'does not run'}; ${log}`;
      }),
    );
    return lines.join('\n');
  }

  /** Kills all nodes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.filter((node) => node.isRunning).map((node) => node.process.kill()));
  }
}
