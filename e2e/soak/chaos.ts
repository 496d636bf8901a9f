import { setTimeout as sleep } from 'node:timers/promises';
import { createPrng, type Prng } from '../../store/core/prng/prng.ts';
import type { ClusterNode } from '../lib/cluster-node.ts';
import { addNode, drainOut, startEmpty, untilPlaced, wipeNode } from '../lib/elasticity.ts';
import { requireEqualReplicas, requireSafe } from '../lib/replicas-equal.ts';
import { DATA_FAULTS } from './data-faults.ts';
import { DataStage, networkOfProcess } from './data-stage.ts';

export type ChaosOptions = {
  readonly directory: string;
  readonly minutes: number;
  readonly seed: number;
  progress(text: string): void;
};

const NODES_FIRST = 5;
export const CHAOS_NODES_MAX = 6;
/** With one node broken at any time all of the data is served. */
const NODES_MIN = 4;
const ENGINE = 'rocksdb';
const CUT_OFF_MS_MAX = 8000;
const REST_MS_MAX = 3000;
const MOVES_DEADLINE_MS = 300_000;
const READY_DEADLINE_MS = 60_000;

/**
 * Nodes are killed, stopped for a while and cut off at random, one thing after the other, while others join, are drained and lose
 * their disks, and a load of reads and writes goes on. At the end every key's history is linearizable, all replicas are equal, and every key
 * is explained as safe. Of refusals only the codes are judged, since with several things broken at once any node may have a reason.
 */
export async function chaos({ directory, minutes, seed, progress }: ChaosOptions): Promise<string> {
  const network = networkOfProcess(CHAOS_NODES_MAX);
  await using stage = await DataStage.start({
    ...{ directory, engine: ENGINE, network, hasSmallDisk: false, size: NODES_FIRST },
    settings: { 'cluster.rebalanceAfterMs': 500 },
  });
  const run = new Chaos(stage, createPrng(seed), progress);
  stage.load.start();
  const endMs = performance.now() + minutes * 60_000;
  while (performance.now() < endMs) await run.step();
  await run.end();
  return run.summary();
}

type Fault = 'kill' | 'kill-all' | 'pause' | 'partition';
type Scaling = 'join' | 'drain' | 'wipe';

class Chaos {
  readonly #stage: DataStage;
  readonly #prng: Prng;
  readonly #progress: (text: string) => void;
  readonly #counts = new Map<Fault | Scaling, number>();
  /** What goes on beside the faults, one at a time. */
  #scaling: Promise<void> | undefined;
  #failure: Error | undefined;
  /** Whom the faults spare: it is on its way out, or loses its disk. */
  #spared: number | undefined;
  /** Those that were drained. */
  readonly #out = new Set<number>();
  #equalMs = 0;

  constructor(stage: DataStage, prng: Prng, progress: (text: string) => void) {
    this.#stage = stage;
    this.#prng = prng;
    this.#progress = progress;
  }

  async step(): Promise<void> {
    this.#check();
    const { cluster, load } = this.#stage;
    load.windows.open({ faulty: Array.from({ length: CHAOS_NODES_MAX }, (_, i) => i + 1) });
    this.#scaling ??= this.#scale();
    await sleep(this.#below(REST_MS_MAX));
    const victims = cluster.awake().filter(({ index }) => index !== this.#spared);
    const one = this.#pick(victims);
    const fault = this.#pick(this.#faults());
    this.#count(fault);
    const text = await this.#break(fault, one);
    await this.#allReady();
    this.#progress(`${text}; ${load.summary()}`);
  }

  /** Everything is mended and has moved; then the checks. */
  async end(): Promise<void> {
    const { cluster, load, map } = this.#stage;
    this.#progress('no more faults: the rest moves');
    await this.#scaling;
    this.#check();
    await this.#untilPlaced();
    await this.#allReady();
    await load.progress(100);
    await load.stop();
    await map.readAgain(cluster.awake()[0] as ClusterNode);
    const { tookMs } = await requireEqualReplicas(cluster, map);
    this.#equalMs = tookMs;
    await requireSafe(cluster, load.ledger.keys);
    await load.readAll();
    load.ledger.check();
  }

  summary(): string {
    const counts = [...this.#counts].map(([name, count]) => `${count} ${name}`).join(', ');
    const { cluster, load } = this.#stage;
    return `${counts}; ends with ${cluster.awake().length} nodes, replicas equal after ${Math.round(this.#equalMs)} ms, every key linearizable; ${load.summary()}`;
  }

  #faults(): readonly Fault[] {
    const all: readonly Fault[] = ['kill', 'kill', 'kill', 'kill-all', 'pause', 'partition', 'partition'];
    return this.#stage.network === undefined ? all.filter((fault) => fault !== 'partition') : all;
  }

  #break(fault: Fault, one: ClusterNode): Promise<string> {
    switch (fault) {
      case 'kill':
      case 'pause':
        return DATA_FAULTS[fault](this.#stage, { one, other: one });
      case 'kill-all':
        return this.#killAll();
      case 'partition':
        return this.#cutOff(one);
    }
  }

  /** All that run but the one that is spared. */
  async #killAll(): Promise<string> {
    const { cluster } = this.#stage;
    const nodes = cluster.awake().filter(({ index }) => index !== this.#spared);
    await Promise.all(nodes.map(({ index }) => cluster.kill(index)));
    for (const { index } of nodes) cluster.start(index, { 'cluster.bootstrap': 'false' });
    return `killed ${nodes.map(({ name }) => name).join(', ')}`;
  }

  async #cutOff(one: ClusterNode): Promise<string> {
    const { network } = this.#stage;
    const others = Array.from({ length: CHAOS_NODES_MAX }, (_, i) => i + 1).filter(
      (index) => index !== one.index,
    );
    network?.partition([others, [one.index]]);
    await sleep(this.#below(CUT_OFF_MS_MAX));
    network?.heal();
    return `cut off ${one.name}`;
  }

  /** Ends when the data is where it should be again: a second disk that is lost before that could be the last copy. */
  async #scale(): Promise<void> {
    const possible: Scaling[] = ['wipe'];
    const size = this.#members().length;
    if (size < CHAOS_NODES_MAX) possible.push('join', 'join');
    if (size > NODES_MIN) possible.push('drain', 'drain');
    const scaling = this.#pick(possible);
    this.#count(scaling);
    try {
      this.#progress(await this.#change(scaling));
      this.#spared = undefined;
      await this.#untilPlaced();
      this.#progress(`placed on ${this.#members().length} nodes`);
    } catch (error) {
      this.#failure ??= error as Error;
    }
    this.#scaling = undefined;
  }

  async #change(scaling: Scaling): Promise<string> {
    const { cluster } = this.#stage;
    if (scaling === 'join') return `${(await this.#join()).name} joins`;
    const node = this.#pick(cluster.awake());
    this.#spared = node.index;
    this.#progress(scaling === 'wipe' ? `${node.name} loses its disk` : `draining ${node.name}`);
    if (scaling === 'wipe') {
      await wipeNode(cluster, node.index);
      return `${node.name} is back, empty`;
    }
    await drainOut(cluster, [node.index], { deadlineMs: MOVES_DEADLINE_MS });
    this.#out.add(node.index);
    return `${node.name} is drained and out`;
  }

  /** One that was taken out before begins anew; else there is another one. */
  async #join(): Promise<ClusterNode> {
    const { cluster } = this.#stage;
    const [index] = this.#out;
    if (index === undefined) return addNode(cluster);
    this.#out.delete(index);
    startEmpty(cluster, index);
    return cluster.node(index);
  }

  #untilPlaced(): Promise<void> {
    const names = (): readonly string[] => this.#members().map(({ name }) => name);
    return untilPlaced(this.#stage.cluster, {
      ...{ deadlineMs: MOVES_DEADLINE_MS, names },
      progress: (text) => this.#progress(text),
    });
  }

  /** Those that are, or are to be, members; down or not. */
  #members(): readonly ClusterNode[] {
    return this.#stage.cluster.nodes.filter(({ index }) => !this.#out.has(index));
  }

  async #allReady(): Promise<void> {
    const { cluster } = this.#stage;
    await cluster.until(
      'not all nodes are ready',
      async () => {
        const nodes = cluster.awake().filter(({ index }) => index !== this.#spared);
        const ready = await Promise.all(nodes.map(({ process }) => process.waitReady(1000)));
        return ready.every((each) => each);
      },
      READY_DEADLINE_MS,
    );
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#stage.load.check();
  }

  #count(name: Fault | Scaling): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  #below(most: number): number {
    return this.#prng.below(most);
  }

  #pick<T>(all: readonly T[]): T {
    return all[this.#below(all.length)] as T;
  }
}
