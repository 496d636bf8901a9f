import { resolveConfig } from '../config/resolve-config.ts';
import type { Config } from '../config/settings.ts';
import { createPrng } from '../core/prng/prng.ts';
import type { KvorumNode } from '../node/start-node.ts';
import { Network } from '../sim/network/network.ts';
import { Switchboard } from '../sim/network/switchboard.ts';
import { ENCODING } from '../sim/network/wire.ts';
import { type Settle, Timeline } from '../sim/timeline.ts';
import { Machine } from '../sim/world/machine.ts';

export const CLUSTER = '1'.repeat(32);
const STEP_MS = 50;

export type TestMachineOptions = {
  /** The name of the node; that of the machine where absent. */
  readonly node?: string;
  readonly settings?: Partial<Config>;
  /** What the node is given in place of its settings. */
  readonly seenAs?: (config: Config) => Config;
};

/** Whole nodes on virtual time, told step by step what happens to them. */
export class TestCluster {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly notes: string[] = [];
  readonly broken: unknown[] = [];
  /** Called after each write that a machine has made, also one that is not durable yet. */
  onWritten: (machine: Machine) => void = () => {};
  readonly #board: Switchboard;
  readonly #prng = createPrng(1);
  readonly #defaults = resolveConfig({ environment: {}, flags: [] }).config;

  constructor(settle: Settle) {
    const timeline = new Timeline(settle);
    this.timeline = timeline;
    this.network = new Network({ timeline, prng: createPrng(2) });
    const watch = { onSend() {}, onDeliver() {}, onLink() {} };
    this.#board = new Switchboard({ network: this.network, timeline, watch, wire: ENCODING });
  }

  /** A machine that does not run yet, whose seeds are whoever listens. */
  machine(name: string, { node = name, settings = {}, seenAs = asIs }: TestMachineOptions = {}): Machine {
    const config: Config = {
      ...this.#defaults,
      'node.name': node,
      'cluster.seeds': ['kvorum:7401'],
      'cluster.seedIntervalMs': 500,
      'cluster.partitions': 8,
      'cluster.requestTimeoutMs': 3000,
      'storage.reserveBytes': 0,
      'storage.spaceCheckMs': 600_000,
      'expiry.intervalMs': 3_600_000,
      ...settings,
    };
    const plan = { clockOffsetMs: 0, clockRate: 1, startMs: 0, syncDelayMs: 1, zone: '' };
    const events = {
      onStarted() {},
      onWritten: (machine: Machine) => this.onWritten(machine),
      onExit: (_machine: Machine, error: unknown) => this.broken.push(error),
      onBroken: (_machine: Machine, error: unknown) => this.broken.push(error),
      onNotStopped: ({ name }: Machine) => this.broken.push(new Error(`${name} does not stop`)),
      note: (what: string, more?: () => string) => void this.notes.push(`${what} ${more?.() ?? ''}`),
    };
    const resolver = { resolve: async () => this.#board.addresses() };
    const deps = { timeline: this.timeline, board: this.#board, resolver, prng: this.#prng, events };
    return new Machine({ name, plan, config: () => seenAs(config) }, deps);
  }

  /** Runs `count` nodes of one cluster, made by the first. */
  async start(count: number, options: TestMachineOptions = {}): Promise<Machine[]> {
    const machines = Array.from({ length: count }, (_, i) => this.machine(`node-${i + 1}`, options));
    for (const machine of machines) machine.start();
    await this.until(() => machines.every(({ node }) => node !== undefined), 'all run');
    await this.bootstrap(machines[0] as Machine);
    await this.until(() => machines.every((each) => isUp(each, count)), 'all are members');
    return machines;
  }

  /** The answer to `ask`, for which virtual time passes. */
  async answer<T>(ask: Promise<T>, forMs = 60_000): Promise<T> {
    let isOver = false;
    const end = (): void => {
      isOver = true;
    };
    ask.then(end, end);
    await this.until(() => isOver, 'an answer', forMs);
    return ask;
  }

  bootstrap(machine: Machine, clusterId = CLUSTER): Promise<unknown> {
    return this.answer(nodeOf(machine).cluster.bootstrap({ clusterId, replicationFactor: 9 }));
  }

  run(ms: number): Promise<void> {
    return this.timeline.runUntil(this.timeline.nowMs + ms, () => false);
  }

  async until(isSo: () => boolean, what: string, forMs = 60_000): Promise<void> {
    const endMs = this.timeline.nowMs + forMs;
    while (!isSo()) {
      if (this.timeline.nowMs >= endMs)
        throw new Error(`not within ${forMs} ms: ${what}\n${this.notes.slice(-40).join('\n')}`);
      await this.run(STEP_MS);
    }
  }
}

const asIs = (config: Config): Config => config;

export function nodeOf({ node, name }: Machine): KvorumNode {
  if (node === undefined) throw new Error(`${name} does not run`);
  return node;
}

export const statusOf = (machine: Machine) => nodeOf(machine).cluster.status();

/** A member that follows a leader, among `count` that are and vote. */
function isUp({ node }: Machine, count: number): boolean {
  const status = node?.cluster.status();
  return (
    status?.leader !== undefined && status.members.alive === count && status.quorum.voters.length === count
  );
}
