import { resolveConfig } from '../config/resolve-config.ts';
import type { Config } from '../config/settings.ts';
import { type KvorumNode, startNode } from '../node/start-node.ts';
import { createIsolatedTransport } from '../ports/isolated-transport.ts';
import type { Random } from '../ports/random.ts';
import type { EngineFailedError } from '../storage/engine.ts';
import type { KvStore } from '../storage/kv-store.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryEngine } from './memory-engine.ts';
import { SimClock } from './sim-clock.ts';
import { createSimRandom } from './sim-random.ts';

export type SimNodeOptions = {
  readonly seed?: number;
  readonly capacityBytes?: number;
  readonly settings?: Partial<Config>;
};

const START_WALL_MS = Date.UTC(2026, 0, 1);

/** A whole node, made by `startNode`, on a disk and a clock that fail when they are told to. */
export class SimNode {
  readonly clock = new SimClock(START_WALL_MS);
  readonly disk: MemoryDisk;
  readonly failures: EngineFailedError[] = [];
  readonly backgroundErrors: unknown[] = [];
  reaped = 0;
  readonly #random: Random;
  readonly #config: Config;
  #node: KvorumNode | undefined;

  constructor(options: SimNodeOptions = {}) {
    this.#random = createSimRandom(options.seed ?? 1);
    this.disk = new MemoryDisk(
      { capacityBytes: options.capacityBytes ?? 1 << 30 },
      { clock: this.clock, random: this.#random },
    );
    const defaults = resolveConfig({ environment: {}, flags: [] }).config;
    this.#config = {
      ...defaults,
      'cluster.bootstrap': true,
      'cluster.replicationFactor': 1,
      'cluster.partitions': 8,
      'storage.reserveBytes': 0,
      ...options.settings,
    };
  }

  static async start(options: SimNodeOptions = {}): Promise<SimNode> {
    const node = new SimNode(options);
    await node.start();
    return node;
  }

  async start(settings: Partial<Config> = {}): Promise<void> {
    const engine = new MemoryEngine({ groupBytesMax: 1 << 20 }, { disk: this.disk });
    const ports = {
      clock: this.clock,
      engine,
      random: this.#random,
      transport: createIsolatedTransport(),
      resolver: { resolve: async (seed: string) => [seed] },
      defer: (work: () => void) => void Promise.resolve().then(work),
    };
    try {
      this.#node = await startNode({ ...this.#config, ...settings }, ports, {
        onStorageFailed: (error) => this.failures.push(error),
        onReaped: (records) => {
          this.reaped += records;
        },
        onBackgroundError: (error) => this.backgroundErrors.push(error),
        onConsensusFailed: (error) => this.backgroundErrors.push(error),
        onNotice() {},
        onRefused() {},
        onProposed() {},
        onPhase() {},
      });
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  get node(): KvorumNode {
    if (this.#node === undefined) throw new Error('the node is not running');
    return this.#node;
  }

  get store(): KvStore {
    return this.node.store;
  }

  /** Power loss: what was not synced may be gone. */
  crash(): void {
    this.disk.crash();
    this.#node = undefined;
  }

  async crashAndStart(): Promise<void> {
    this.crash();
    await this.start();
  }

  async stopAndStart(settings: Partial<Config> = {}): Promise<void> {
    await this.node.stop();
    this.#node = undefined;
    await this.start(settings);
  }
}
