import { resolveConfig } from '../../../store/config/resolve-config.ts';
import { createPrng } from '../../../store/core/prng/prng.ts';
import { settle } from '../../../store/io/settle.ts';
import { Network } from '../../../store/sim/network/network.ts';
import type { SimTransport } from '../../../store/sim/network/sim-transport.ts';
import { Switchboard } from '../../../store/sim/network/switchboard.ts';
import { Timeline } from '../../../store/sim/timeline.ts';
import { Machine } from '../../../store/sim/world/machine.ts';

/** Messages that a node sends in a second without clients; its answers to requests are among them. */
export type BackgroundCount = {
  readonly nodes: number;
  /** Of the members' mean, by their kind. */
  readonly gossip: number;
  readonly raft: number;
  readonly requests: number;
  /** Of the busiest member, which leads: all kinds. */
  readonly busiest: number;
};

/** Messages between members for an operation at a node that is drawn. */
export type OperationCount = { readonly puts: number; readonly gets: number };

const SEED = 'kvorum:7401';
const CLUSTER_ID = '1'.repeat(32);
const START_MS_MAX = 300_000;
/** What follows the start of so many nodes at once is over. */
const QUIET_AFTER_MS = 20_000;
const COUNTED_MS = 10_000;
const OPERATIONS = 200;
const OPERATION_MS_MAX = 5000;
const PARTITIONS = 256;

/** A cluster of whole nodes (`startNode`) in the project's simulator, with nobody who watches it but a counter. */
export class WholeNodes {
  readonly #timeline = new Timeline(settle);
  readonly #network: Network;
  readonly #machines: readonly Machine[];
  readonly #sent = new Map<string, number>();

  constructor(nodes: number) {
    const prng = createPrng(nodes);
    const timeline = this.#timeline;
    this.#network = countCarried(new Network({ timeline, prng: createPrng(1) }), (from, carriage) => {
      if (carriage === 'request') this.#count(from, 'requests');
    });
    const watch = {
      onSend: ({ machine }: SimTransport, { type }: { readonly type: string }) => this.#count(machine, type),
      onDeliver() {},
      onLink() {},
    };
    const board = new Switchboard({ network: this.#network, timeline, watch });
    const resolver = { resolve: async () => board.addresses() };
    const events = {
      onStarted() {},
      onWritten() {},
      note() {},
      onNotStopped() {},
      onExit: ({ name }: Machine, error: unknown) => fail(name, error),
      onBroken: ({ name }: Machine, error: unknown) => fail(name, error),
    };
    const plan = { clockOffsetMs: 0, clockRate: 1, startMs: 0, syncDelayMs: 1, zone: '' };
    this.#machines = Array.from({ length: nodes }, (_, i) => {
      const name = `node-${i + 1}`;
      const options = { name, plan, config: (clusterId: string) => configOf(name, clusterId, nodes) };
      return new Machine(options, { timeline, board, resolver, prng, events });
    });
  }

  /** Until all are members, and the partitions are placed on all of them. */
  async start(): Promise<void> {
    for (const machine of this.#machines) machine.start();
    const first = this.#machines[0] as Machine;
    await this.#until('the first node', () => first.node !== undefined);
    void first.node?.cluster.bootstrap({ clusterId: CLUSTER_ID, replicationFactor: 3 });
    await this.#until('partitions on all nodes', () =>
      this.#machines.every((machine) => this.#isPlaced(machine)),
    );
    await this.#run(QUIET_AFTER_MS);
  }

  async countBackground(): Promise<BackgroundCount> {
    this.#sent.clear();
    await this.#run(COUNTED_MS);
    const nodes = this.#machines.length;
    const perSecond = (count: number): number => count / (COUNTED_MS / 1000);
    const mean = (kind: string): number =>
      perSecond(this.#machines.reduce((sum, { name }) => sum + this.#sentBy(name, kind), 0) / nodes);
    const all = ({ name }: Machine): number =>
      ['gossip', 'raft', 'requests'].reduce((sum, kind) => sum + this.#sentBy(name, kind), 0);
    const busiest = perSecond(Math.max(...this.#machines.map(all)));
    return { nodes, gossip: mean('gossip'), raft: mean('raft'), requests: mean('requests'), busiest };
  }

  /** One after the other, so that no two messages share a frame. */
  async countOperations(): Promise<OperationCount> {
    const prng = createPrng(7);
    const counts = { puts: 0, gets: 0 };
    for (const kind of ['puts', 'gets'] as const) {
      this.#sent.clear();
      for (let i = 0; i < OPERATIONS; i++) {
        const machine = this.#machines[prng.below(this.#machines.length)] as Machine;
        await this.#operate(machine, kind, new TextEncoder().encode(`key-${i}`));
      }
      const sent = this.#machines.reduce((sum, { name }) => sum + this.#sentBy(name, 'replica'), 0);
      counts[kind] = sent / OPERATIONS;
    }
    return counts;
  }

  async stop(): Promise<void> {
    for (const machine of this.#machines) machine.crash();
    await settle();
  }

  async #operate({ node }: Machine, kind: 'puts' | 'gets', key: Uint8Array): Promise<void> {
    if (node === undefined) throw new Error('a simulated node does not run');
    let isDone = false;
    const value = new Uint8Array(256);
    const work = kind === 'puts' ? node.store.put('default', key, { value }) : node.store.get('default', key);
    const done = work.then(() => {
      isDone = true;
    });
    await this.#timeline.runUntil(this.#timeline.nowMs + OPERATION_MS_MAX, () => isDone);
    await done;
    // The third replica answers too.
    await this.#run(20);
  }

  #isPlaced({ node }: Machine): boolean {
    const { partitions = [], members } = node?.internals.member?.topology.state ?? {};
    return partitions.length === PARTITIONS && members?.size === this.#machines.length;
  }

  async #until(what: string, isReached: () => boolean): Promise<void> {
    const endMs = this.#timeline.nowMs + START_MS_MAX;
    while (!isReached()) {
      if (this.#timeline.nowMs > endMs) throw new Error(`the simulated nodes have not reached ${what}`);
      await this.#run(500);
    }
  }

  #run(durationMs: number): Promise<void> {
    return this.#timeline.runUntil(this.#timeline.nowMs + durationMs, () => false);
  }

  #count(machine: string, kind: string): void {
    const key = `${machine} ${kind}`;
    this.#sent.set(key, (this.#sent.get(key) ?? 0) + 1);
  }

  #sentBy(machine: string, kind: string): number {
    return this.#sent.get(`${machine} ${kind}`) ?? 0;
  }
}

function countCarried(network: Network, count: (from: string, carriage: string) => void): Network {
  const carry = network.carry.bind(network);
  network.carry = (from, to, carriage, deliver) => {
    count(from, carriage);
    carry(from, to, carriage, deliver);
  };
  return network;
}

function configOf(name: string, clusterId: string, nodes: number) {
  return {
    ...resolveConfig({ environment: {}, flags: [] }).config,
    'node.name': name,
    'cluster.id': clusterId,
    'cluster.seeds': [SEED],
    'cluster.partitions': PARTITIONS,
    'cluster.initialMembers': nodes,
    'storage.reserveBytes': 0,
  };
}

function fail(name: string, error: unknown): never {
  throw new Error(`${name} of the simulated nodes failed`, { cause: error });
}
