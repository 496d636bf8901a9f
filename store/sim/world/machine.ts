import type { Config } from '../../config/settings.ts';
import { createPrng, type Prng } from '../../core/prng/prng.ts';
import { NO_DATA_EVENTS } from '../../node/data-events.ts';
import { type KvorumNode, startNode } from '../../node/start-node.ts';
import type { Resolver } from '../../ports/resolver.ts';
import type { PlainOperation } from '../../storage/engine.ts';
import { FAMILY } from '../../storage/key-layout.ts';
import { FACTS_RANGE, PartitionFacts } from '../checkers/partition-facts.ts';
import { type DiskCopy, MemoryDisk } from '../memory-disk.ts';
import { MemoryEngine } from '../memory-engine.ts';
import { SimTransport } from '../network/sim-transport.ts';
import type { Switchboard } from '../network/switchboard.ts';
import { type MachineClock, NodeClock } from '../node-clock.ts';
import { SimProcess } from '../sim-process.ts';
import { randomOf } from '../sim-random.ts';
import type { Timeline } from '../timeline.ts';
import { DiskLog } from './disk-log.ts';
import type { MachinePlan } from './plan.ts';
import { watchEngine } from './watched-engine.ts';

export type MachineOptions = {
  readonly name: string;
  readonly plan: MachinePlan;
  /** The settings of a life that begins now; `clusterId` is that of the cluster the machine was first of, or nothing. */
  readonly config: (clusterId: string) => Config;
};

/** What a machine tells of its processes. */
export type MachineEvents = {
  onStarted(machine: Machine): void;
  onWritten(machine: Machine, batch: readonly PlainOperation[], sync: boolean): void;
  /** The process ended by itself: its disk failed, or it could not start. */
  onExit(machine: Machine, error: unknown): void;
  /** The node noticed that something is broken that nothing here can have broken. */
  onBroken(machine: Machine, error: unknown): void;
  /** Nothing holds up the process, and it runs `afterMs` after it was told to stop. */
  onNotStopped(machine: Machine, afterMs: number): void;
  note(what: string, more?: () => string): void;
};

export type MachineDeps = {
  readonly timeline: Timeline;
  readonly board: Switchboard;
  readonly resolver: Resolver;
  readonly prng: Prng;
  readonly events: MachineEvents;
};

/** One process of a node, from its start to its end. */
export type Life = {
  readonly process: SimProcess;
  readonly transport: SimTransport;
  /** Undefined until it has started. */
  node: KvorumNode | undefined;
  /** It was told to end, and hands over what it has. */
  isStopping: boolean;
};

const CAPACITY_BYTES = 1 << 26;
const RAFT_AND_META = { start: Uint8Array.of(FAMILY.meta), end: Uint8Array.of(FAMILY.raft + 1) };
/** Time for a clean stop before the process is killed. */
const STOP_MS_MAX = 4000;

/** A computer with a disk and a clock, on which one node is started again and again. */
export class Machine {
  readonly name: string;
  readonly clock: MachineClock;
  readonly disk: MemoryDisk;
  log = new DiskLog();
  /** What its replicas promised. */
  facts: PartitionFacts;
  life: Life | undefined;
  lives = 0;
  /** The directory that may have forgotten what it promised: an older copy of it is in the machine, or it is damaged. */
  rolledBack: string | undefined;
  readonly #options: MachineOptions;
  readonly #deps: MachineDeps;
  #clusterId = '';

  constructor(options: MachineOptions, deps: MachineDeps) {
    this.#options = options;
    this.#deps = deps;
    this.name = options.name;
    this.facts = new PartitionFacts(options.name);
    this.clock = { rate: options.plan.clockRate, wallOffsetMs: options.plan.clockOffsetMs };
    const { timeline } = deps;
    // An fsync goes on while the process is paused; the process learns of it later.
    const setTimer = (delayMs: number, callback: () => void) =>
      timeline.after(delayMs, () => this.life?.process.run(callback));
    const clock = { nowMs: () => timeline.nowMs, monotonicMs: () => timeline.nowMs, setTimer };
    const own = createPrng(deps.prng.uint32());
    this.disk = new MemoryDisk({ capacityBytes: CAPACITY_BYTES }, { clock, random: randomOf(own) });
    this.disk.faults.drawSyncDelayMs = () => own.unit() * options.plan.syncDelayMs;
  }

  /** Runs, and is not paused. */
  get node(): KvorumNode | undefined {
    return this.life?.process.isPaused === false ? this.life.node : undefined;
  }

  get isRolledBack(): boolean {
    return this.rolledBack !== undefined && this.rolledBack === this.log.directoryId;
  }

  start(): void {
    if (this.life !== undefined) return;
    this.lives += 1;
    const life = this.#createLife(this.lives);
    this.life = life;
    this.log = DiskLog.of(this.disk.contents(RAFT_AND_META.start, RAFT_AND_META.end));
    const memory = new MemoryEngine({ groupBytesMax: 1 << 20 }, { disk: this.disk });
    const onWrite = (batch: readonly PlainOperation[], sync: boolean): void => {
      if (life.process.isAlive) this.#deps.events.onWritten(this, batch, sync);
    };
    this.#clusterId ||= this.log.identity?.clusterId ?? this.log.joining ?? '';
    this.#deps.events.note(`${this.name} starts`, () => `life ${this.lives}`);
    this.#deps.events.onStarted(this);
    const ports = {
      clock: new NodeClock(this.clock, { timeline: this.#deps.timeline, process: life.process }),
      engine: watchEngine(memory, this.log, onWrite),
      transport: life.transport,
      resolver: this.#deps.resolver,
      random: randomOf(createPrng(this.#deps.prng.uint32())),
      defer: (work: () => void) => void Promise.resolve().then(() => life.process.run(work)),
    };
    startNode(this.#options.config(this.#clusterId), ports, this.#nodeEvents(life)).then(
      (node) => {
        if (life.process.isAlive) life.node = node;
      },
      (error: unknown) => this.#exit(life, error),
    );
  }

  /** The promises that its disk holds now. */
  readFacts(): void {
    this.facts.found(this.disk.contents(FACTS_RANGE.start, FACTS_RANGE.end));
  }

  /** The power fails, or the process is killed and the machine loses what was not synced. */
  crash(): void {
    const { life } = this;
    if (life === undefined) return;
    this.life = undefined;
    life.process.kill();
    life.transport.disconnect();
    this.disk.crash();
    this.#deps.events.note(`${this.name} crashes`);
  }

  /** SIGTERM: it ends by itself, whoever else is there or not; one that a fault holds up is killed after a while. */
  stop(): void {
    const { life } = this;
    if (life?.node === undefined) return;
    life.isStopping = true;
    this.#deps.events.note(`${this.name} stops`);
    const end = (): void => {
      if (this.life === life) this.crash();
    };
    const { node, process } = life;
    process.run(() => void node.stop().then(end, end));
    const stoppedAtMs = this.#deps.timeline.nowMs;
    this.#deps.timeline.after(STOP_MS_MAX, () => {
      const wasHeldUp =
        process.isPaused || process.resumedAtMs >= stoppedAtMs || this.disk.slowUntilMs >= stoppedAtMs;
      if (this.life === life && !wasHeldUp) this.#deps.events.onNotStopped(this, STOP_MS_MAX);
      end();
    });
  }

  /** Another disk is put in while nothing runs; an empty one where there is no copy. */
  replaceDisk(copy: DiskCopy | undefined): void {
    this.crash();
    this.#clusterId ||= this.log.identity?.clusterId ?? this.log.joining ?? '';
    this.rolledBack = copy === undefined ? undefined : this.log.directoryId;
    this.disk.replace(copy);
    this.facts = new PartitionFacts(this.name);
    this.log = DiskLog.of(this.disk.contents(RAFT_AND_META.start, RAFT_AND_META.end));
    this.#deps.events.note(`${this.name} gets ${copy === undefined ? 'an empty disk' : 'an old disk'}`);
  }

  /** A bit of the Raft log rots while nothing runs: what was promised may not be readable any more (S5). */
  flipBit(prng: Prng): void {
    this.crash();
    const read = () => DiskLog.of(this.disk.contents(RAFT_AND_META.start, RAFT_AND_META.end));
    const keys = [...this.disk.contents(Uint8Array.of(FAMILY.raft), RAFT_AND_META.end)].map(({ key }) => key);
    const key = keys[prng.below(keys.length)];
    const before = read();
    if (key === undefined || !this.disk.corrupt(key)) return;
    // What is left over from earlier writes is never read.
    const isNoticed = !read().equals(before);
    if (isNoticed) this.rolledBack = this.log.directoryId;
    this.#deps.events.note(`${this.name} has a damaged disk`, () => `noticed: ${isNoticed}`);
  }

  #createLife(life: number): Life {
    const { timeline, board } = this.#deps;
    const process = new SimProcess(timeline);
    const clock = new NodeClock(this.clock, { timeline, process });
    const options = {
      machine: this.name,
      address: addressOf(this.name, life),
      connectTimeoutMs: 1000,
      reconnectMs: 100,
    };
    const transport = new SimTransport(options, { board, process, clock });
    return { process, transport, node: undefined, isStopping: false };
  }

  #nodeEvents(life: Life): Parameters<typeof startNode>[2] {
    const { events } = this.#deps;
    const broken = (error: unknown): void => {
      if (life.process.isAlive) events.onBroken(this, error);
    };
    return {
      onStorageFailed: (error) => this.#exit(life, error),
      onConsensusFailed: (error) => {
        broken(error);
        this.#exit(life, error);
      },
      onBackgroundError: broken,
      onReaped() {},
      onProposed() {},
      data: {
        ...NO_DATA_EVENTS,
        onMoveDelayed: (partition, reason) =>
          events.note(`${this.name}: the move of partition ${partition} waits`, () => reason),
      },
      onPhase: ({ node }) => {
        if (life.process.isAlive)
          events.note(`${this.name} is ${node.state}`, () => `${node.member ?? ''} ${node.reason ?? ''}`);
      },
      onNotice: (message) => events.note(`${this.name}: ${message}`),
      onRefused: (address, by, { code }) =>
        events.note(`${this.name}: link to ${address} refused by ${by}: ${code}`),
    };
  }

  #exit(life: Life, error: unknown): void {
    if (this.life !== life) return;
    this.crash();
    this.#deps.events.onExit(this, error);
  }
}

/** Pods get another address at each start. */
function addressOf(machine: string, life: number): string {
  return `${machine}.${life}:7401`;
}
