import { setTimeout as sleep } from 'node:timers/promises';
import type { AdminAnswer } from './admin-request.ts';
import { ChangeLedger } from './change-ledger.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterNode } from './cluster-node.ts';
import { type TopologyDocument, TopologyHistory } from './topology-history.ts';

export type ClusterLoadOptions = {
  /** Loops that change weights one after the other. */
  readonly writers: number;
  readonly changePauseMs: number;
  readonly namespacePauseMs: number;
  /** Part of the names of the namespaces: two loads of one cluster must not make the same. */
  readonly label: string;
};

const OPTIONS_DEFAULT: ClusterLoadOptions = {
  writers: 3,
  changePauseMs: 20,
  namespacePauseMs: 400,
  label: 'load-',
};
const WEIGHTS = 1000;
const READ_PAUSE_MS = 50;
const PROBE_PAUSE_MS = 20;
const PROBE_DEADLINE_MS = 30_000;
const REST_MS = 50;
const AFTERWARDS_MS = 1000;

/**
 * A stream of topology changes through all nodes that run, with a follower at each node and a reader that asks for
 * linearizable answers. The first thing that must not be ends `failure`, and `stop` throws it.
 */
export class ClusterLoad {
  readonly ledger: ChangeLedger;
  readonly history = new TopologyHistory();
  readonly #cluster: Cluster;
  readonly #options: ClusterLoadOptions;
  readonly #stop = new AbortController();
  readonly #loops: Promise<void>[] = [];
  #failure: Error | undefined;
  #changes = 0;
  #namespaces = 0;
  reads = 0;

  constructor(cluster: Cluster, options: Partial<ClusterLoadOptions> = {}) {
    this.#cluster = cluster;
    this.#options = { ...OPTIONS_DEFAULT, ...options };
    this.ledger = new ChangeLedger({ label: this.#options.label });
  }

  start(): void {
    for (let i = 0; i < this.#options.writers; i++)
      this.#loop(async () => {
        const answer = await this.change(this.#pick());
        await sleep(answer.type === 'ok' ? this.#options.changePauseMs : REST_MS);
      });
    this.#loop(async () => {
      await this.#createNamespace(this.#pick());
      await sleep(this.#options.namespacePauseMs);
    });
    this.#loop(async () => {
      await this.readLinearizable(this.#pick());
      await sleep(READ_PAUSE_MS);
    });
    for (const node of this.#cluster.nodes) this.#run(() => this.history.follow(node, this.#stop.signal));
  }

  #loop(step: () => Promise<void>): void {
    this.#run(async () => {
      while (!this.#stop.signal.aborted) await step();
    });
  }

  #run(work: () => Promise<void>): void {
    const noted = work().catch((error: unknown) => {
      if (this.#stop.signal.aborted && (error as Error).name === 'AbortError') return;
      this.#failure ??= error as Error;
    });
    this.#loops.push(noted);
  }

  /** A node that runs, another one each time. */
  #pick(): ClusterNode {
    const awake = this.#cluster.awake();
    const node = awake[Math.floor(Math.random() * awake.length)];
    return node ?? this.#cluster.node(1);
  }

  /** Asks the node for the next change, and notes what came of it. */
  async change(node: ClusterNode): Promise<AdminAnswer<{ readonly epoch: number }>> {
    const count = this.#changes++;
    const member = `kvorum-${1 + (count % this.#cluster.nodes.length)}`;
    const weight = 1 + (count % WEIGHTS);
    const answer = await this.#cluster.change(node.index, member, weight);
    this.ledger.noteChange({ member, weight }, answer);
    return answer;
  }

  async #createNamespace(node: ClusterNode): Promise<void> {
    const name = `${this.#options.label}${this.#namespaces++}`;
    this.ledger.noteNamespace(name, await node.request(`/v1/namespaces/${name}`, { method: 'PUT' }));
  }

  /** Undefined where the node refuses or does not answer; throws where the answer misses an acknowledged change. */
  async readLinearizable(node: ClusterNode): Promise<number | undefined> {
    const floor = this.ledger.latestEpoch;
    const answer = await node.request<TopologyDocument>('/v1/topology?consistency=linearizable');
    if (answer.type !== 'ok') return undefined;
    this.reads += 1;
    const { epoch } = answer.body;
    if (epoch < floor)
      throw new Error(
        `${node.name} answered epoch ${epoch} to a linearizable read asked after ${floor} was acknowledged`,
      );
    this.history.record(answer.body, node.name);
    return epoch;
  }

  /** Milliseconds from now until a change that is asked for from now on is accepted; asks all the time. */
  async nextAcceptedMs(): Promise<number> {
    const startedAt = performance.now();
    let acceptedAt: number | undefined;
    const probes: Promise<void>[] = [];
    while (acceptedAt === undefined) {
      if (performance.now() - startedAt > PROBE_DEADLINE_MS)
        throw new Error(
          `no change was accepted within ${PROBE_DEADLINE_MS / 1000} s:\n${await this.#cluster.describe()}`,
        );
      const node = this.#pick();
      const probe = this.change(node).then(({ type }) => {
        if (type === 'ok') acceptedAt ??= performance.now();
      });
      probes.push(probe);
      const pause = sleep(PROBE_PAUSE_MS);
      await Promise.race([probe, pause]);
      if (acceptedAt === undefined) await pause;
    }
    // Those that are still out are of the ledger too.
    this.#run(async () => void (await Promise.all(probes)));
    return acceptedAt - startedAt;
  }

  /** The longest time without an accepted change until a second after `event`; asks all the time. */
  async longestGapMs(event: Promise<unknown>): Promise<number> {
    let isOver = false;
    const end = event
      .then(() => sleep(AFTERWARDS_MS))
      .then(() => {
        isOver = true;
      });
    let lastAt = performance.now();
    let longestMs = 0;
    while (!isOver) {
      await this.nextAcceptedMs();
      const now = performance.now();
      longestMs = Math.max(longestMs, now - lastAt);
      lastAt = now;
    }
    await end;
    return longestMs;
  }

  /** Ends the stream, waits until the nodes that run agree, and checks all of it. */
  async stop(): Promise<string> {
    this.#stop.abort();
    await Promise.all(this.#loops);
    if (this.#failure !== undefined) throw this.#failure;
    await this.#cluster.settled();
    for (const node of this.#cluster.awake()) {
      const answer = await node.request<TopologyDocument>('/v1/topology?consistency=local');
      if (answer.type !== 'ok') throw new Error(`${node.name}: ${answer.detail}`);
      this.history.record(answer.body, node.name);
      this.ledger.verify(answer.body, this.history);
    }
    return `${this.ledger.summary()}; ${this.reads} linearizable reads, ${this.history.epochs} epochs seen`;
  }

  /** Throws what has gone wrong so far. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
