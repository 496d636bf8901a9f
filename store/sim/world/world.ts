import { resolveConfig } from '../../config/resolve-config.ts';
import type { Config } from '../../config/settings.ts';
import { isOwner } from '../../core/moves/rules.ts';
import { createPrng, type Prng } from '../../core/prng/prng.ts';
import { majority } from '../../core/quorum/quorum-sizes.ts';
import type { Configuration, MemberId } from '../../core/raft/types.ts';
import type { Hello, PeerMessage } from '../../peer/messages.ts';
import type { PlainOperation } from '../../storage/engine.ts';
import { ClusterWatch, type Witness } from '../checkers/cluster-watch.ts';
import { Identities } from '../checkers/identities.ts';
import { once, Violation } from '../checkers/violation.ts';
import { Network } from '../network/network.ts';
import type { SimTransport } from '../network/sim-transport.ts';
import { Switchboard } from '../network/switchboard.ts';
import { ENCODING, FREEZING } from '../network/wire.ts';
import { formatConfiguration } from '../raft/format.ts';
import { isQuorumOf } from '../raft/quorums-meet.ts';
import { type Settle, Timeline } from '../timeline.ts';
import { DataWatch, LatestWall } from './data-watch.ts';
import { DiskCopies } from './disk-copies.ts';
import { Machine } from './machine.ts';
import type { Plan } from './plan.ts';
import { Trace } from './trace.ts';

export type WorldDeps = {
  readonly settle: Settle;
  readonly write?: ((line: string) => void) | undefined;
  /** Calls `fail` with what nobody caught while the run goes on; returns how to end that. */
  readonly onUncaught?: ((fail: (error: unknown) => void) => () => void) | undefined;
};

/** The cluster that is made first; a second bootstrap takes another id. */
export const CLUSTER_ID = '1'.repeat(32);
const OTHER_CLUSTER_ID = '2'.repeat(32);
/** The name that resolves to every node that listens. */
const SEED = 'kvorum:7401';

/** Two ticks of the default heartbeat. */
const LEASE_MARGIN_MS = 200;

const DEFAULTS: Config = resolveConfig({ environment: {}, flags: [] }).config;

/** Machines, the network between them and those who watch; it goes on for as long as events are run. */
export class SimWorld {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly trace: Trace;
  readonly machines: readonly Machine[];
  readonly watches = new Map<string, ClusterWatch>();
  readonly copies = new DiskCopies();
  /** Members that clients ask to be removed: they may go at any time. */
  readonly leaving = new Set<string>();
  readonly latestWall = new LatestWall(this);
  readonly #data = new Map<string, DataWatch>();
  #lastNumber = 0;
  readonly #plan: Plan;
  readonly #byName: ReadonlyMap<string, Machine>;
  readonly #identities = new Identities();
  readonly #toldTo = new Map<string, Machine>();
  readonly #configurations = new WeakMap<Machine, { readonly text: string; readonly value: Configuration }>();
  failure: unknown;
  /** Faults are over: whatever falls down gets up at once. */
  isCalm = false;

  constructor(plan: Plan, { settle, write }: WorldDeps) {
    this.#plan = plan;
    const prng = createPrng(plan.seed + 1);
    this.timeline = new Timeline(settle);
    this.trace = new Trace(() => this.timeline.nowMs, write);
    this.network = new Network({ timeline: this.timeline, prng: createPrng(prng.uint32()) });
    this.network.weather = { ...plan.weather };
    const wire = plan.isEncoded ? ENCODING : FREEZING;
    const watch = {
      onSend: (from: SimTransport, message: PeerMessage) => this.#onSend(from, message),
      onDeliver: (to: SimTransport, from: Hello, message: PeerMessage) => this.#onDeliver(to, from, message),
      onLink: (own: Hello, peer: Hello) => this.guard(() => this.#identities.linked(own, peer)),
    };
    const { timeline, network } = this;
    const board = new Switchboard({ network, timeline, watch, wire });
    this.machines = this.#createMachines(board, prng);
    this.#byName = new Map(this.machines.map((machine) => [machine.name, machine]));
  }

  get hasFailed(): boolean {
    return this.failure !== undefined;
  }

  fail(error: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.trace.note('violation', () => String(error));
  }

  /** Does `act`; what it throws ends the run. */
  guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.fail(error);
    }
  }

  later(delayMs: number, act: () => void): void {
    this.timeline.after(delayMs, () => this.guard(act));
  }

  startAfter(machine: Machine, delayMs: number): void {
    this.later(this.isCalm ? 0 : delayMs, () => machine.start());
  }

  endStorm(): void {
    if (!this.isCalm) this.network.weather = { ...this.#plan.weather };
  }

  async run(durationMs: number): Promise<void> {
    await this.timeline.runUntil(this.timeline.nowMs + durationMs, () => {
      this.observe();
      return this.hasFailed;
    });
  }

  /** Looks at what the nodes have applied, which their disks need not say yet. */
  observe(): void {
    for (const machine of this.machines) {
      const member = machine.life?.node?.internals.member;
      const witness = member === undefined || machine.isRolledBack ? undefined : witnessOf(machine);
      if (member === undefined || witness?.identity.member !== member.number) continue;
      const { clusterId } = witness.identity;
      const { applied } = member.driver;
      this.guard(() =>
        this.watchOf(clusterId).committed(witness, applied, () => this.configurationsOf(clusterId)),
      );
    }
    for (const data of this.#data.values()) this.guard(() => data.observed());
  }

  watchOf(clusterId: string): ClusterWatch {
    const known = this.watches.get(clusterId);
    if (known !== undefined) return known;
    const watch = new ClusterWatch();
    this.watches.set(clusterId, watch);
    return watch;
  }

  dataOf(clusterId: string): DataWatch {
    const known = this.#data.get(clusterId);
    if (known !== undefined) return known;
    const watch = new DataWatch(this, clusterId);
    this.#data.set(clusterId, watch);
    return watch;
  }

  /** Given once, for values that are written once. */
  nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  /** Whether clients ask for data. */
  get hasData(): boolean {
    return this.#plan.data !== undefined;
  }

  /** Of clusters that clients asked for data. */
  get data(): Iterable<DataWatch> {
    return this.#data.values();
  }

  /** A clock is set: by up to an hour where only the topology is used, by as much as planned where data is. */
  jumpClock({ clock }: Machine, prng: Prng): void {
    const mostMs = this.#plan.data?.clockJumpMsMax ?? 3_600_000;
    this.latestWall.note();
    clock.wallOffsetMs += (prng.unit() - 0.5) * 2 * mostMs;
    this.latestWall.note();
  }

  /** The disk is empty from now on; what it held is given back by moves, to the member that the machine is then. */
  loseDisk(machine: Machine, backAfterMs: number): void {
    machine.replaceDisk(undefined);
    this.startAfter(machine, backAfterMs);
  }

  /** `same`: the id that the first node was told, as an operator repeats it. */
  bootstrap(any: Machine, which: 'same' | 'other'): void {
    const clusterId = which === 'same' ? CLUSTER_ID : OTHER_CLUSTER_ID;
    const machine = which === 'same' ? (this.machines[0] ?? any) : any;
    const { node } = machine;
    // An id is told to one node only: told to two, it makes two clusters that nobody can tell apart. For the same reason
    // it is not told again to a machine that lost the disk on which it made the cluster.
    if (node === undefined || once(this.#toldTo, clusterId, machine) !== machine) return;
    if (this.watches.has(clusterId) && machine.log.identity?.clusterId !== clusterId) return;
    this.trace.note(`${machine.name} is told to make cluster ${clusterId.slice(0, 4)}`);
    const asked = node.cluster.bootstrap({ clusterId, replicationFactor: this.#plan.replicationFactor });
    asked.then(
      ({ created }) => this.trace.note(`${machine.name} made it`, () => `${created}`),
      (error: unknown) => this.trace.note(`${machine.name} did not make it`, () => String(error)),
    );
  }

  /** Machines whose directories are of `clusterId`. */
  #byClusterId(clusterId: string): Machine[] {
    return this.machines.filter(({ log }) => log.identity?.clusterId === clusterId);
  }

  /** Machines that hold the number that they vote under. */
  votersOf(clusterId: string): readonly Machine[] {
    return this.#byClusterId(clusterId).filter((machine) => !machine.isRolledBack);
  }

  /**
   * Every configuration that some log of the cluster ends with, and that may be in force: also one that a leader appended
   * and has not on its disk yet, since it counts by it from then on.
   */
  configurationsOf(clusterId: string): readonly Configuration[] {
    const found = new Map<string, Configuration>();
    for (const machine of this.votersOf(clusterId)) {
      const inMemory = machine.life?.node?.internals.member?.driver.status().configuration;
      if (inMemory !== undefined) found.set(formatConfiguration(inMemory), inMemory);
      const value = machine.log.configuration();
      if (value === undefined) continue;
      const known = this.#configurations.get(machine);
      const text = known?.value === value ? known.text : formatConfiguration(value);
      this.#configurations.set(machine, { text, value });
      found.set(text, value);
    }
    return [...found.values()];
  }

  /** Whether the cluster of `machine`, and the data on it, has its majorities without that one, for good. */
  canLose(machine: Machine): boolean {
    const { identity } = machine.log;
    if (identity === undefined) return true;
    // Who is lost before the partitions are placed may be given some all the same.
    if (this.hasData && !this.dataOf(identity.clusterId).isPlaced) return false;
    const mayLoseData = !this.#ownsData(machine) || this.#canLoseData(identity.clusterId);
    return mayLoseData && this.hasQuorums(identity.clusterId, identity.member);
  }

  #ownsData({ log }: Machine): boolean {
    const { clusterId = '', member } = log.identity ?? {};
    const { partitions = [] } = this.watches.get(clusterId)?.history.state ?? {};
    return partitions.some((partition) => member !== undefined && isOwner(partition, member));
  }

  /** One at a time: only once all replicas are where they should be again. */
  #canLoseData(clusterId: string): boolean {
    const { partitions = [] } = this.watches.get(clusterId)?.history.state ?? {};
    const intact = new Set(this.votersOf(clusterId).map(({ log }) => log.identity?.member));
    return partitions.every(({ replicas, move }) =>
      [replicas, ...(move === undefined ? [] : [move.to])].every((set) => {
        const isSpare = set.length > majority(set.length);
        return isSpare && set.every((member) => intact.has(member));
      }),
    );
  }

  /** Whether every configuration has a majority of members that have their disks and stay. */
  hasQuorums(clusterId: string, without?: MemberId): boolean {
    const members = this.watches.get(clusterId)?.history.state?.members;
    const intact = new Set<MemberId>();
    for (const { log, name } of this.votersOf(clusterId)) {
      const member = log.identity?.member ?? 0;
      const isLeaving = this.leaving.has(`${clusterId} ${name} ${member}`);
      if (member !== without && !isLeaving && members?.has(member) !== false) intact.add(member);
    }
    const configurations = this.configurationsOf(clusterId);
    return (
      configurations.length > 0 &&
      configurations.every(({ voters, votersOutgoing, learners }) =>
        voters.length === 0 ? true : isQuorumOf({ voters, votersOutgoing, learners }, intact),
      )
    );
  }

  /** Compares what a node shows with what it must be. */
  lookAt(machine: Machine): void {
    const { node } = machine;
    const witness = witnessOf(machine);
    if (node === undefined || witness === undefined || machine.isRolledBack) return;
    const watch = this.watchOf(witness.identity.clusterId);
    const signal = new AbortController().signal;
    node.cluster.readTopology('local', signal).then(
      (state) => {
        this.observe();
        this.guard(() => watch.shown(witness, state));
      },
      () => {},
    );
  }

  #createMachines(board: Switchboard, prng: Prng): Machine[] {
    const resolver = { resolve: async () => board.addresses() };
    return this.#plan.machines.slice(0, this.#plan.nodes).map((plan, i) => {
      const name = `node-${i + 1}`;
      const options = {
        name,
        plan,
        config: (clusterId: string) => this.#configOf(name, plan.zone, clusterId),
      };
      const events = {
        onStarted: (machine: Machine) => this.#onStarted(machine),
        onWritten: (machine: Machine, batch: readonly PlainOperation[], sync: boolean) =>
          this.guard(() => this.#onWritten(machine, batch, sync)),
        onExit: (machine: Machine, error: unknown) => {
          this.trace.note(`${machine.name} exits`, () => String(error));
          this.startAfter(machine, 500);
        },
        onBroken: (machine: Machine, error: unknown) => this.#onBroken(machine, error),
        onNotStopped: ({ name }: Machine, afterMs: number) =>
          this.fail(new Violation('who is told to stop ends', `${name} has not ended after ${afterMs} ms`)),
        note: (what: string, more?: () => string) => this.trace.note(what, more),
      };
      return new Machine(options, { timeline: this.timeline, board, resolver, prng, events });
    });
  }

  #configOf(name: string, zone: string, clusterId: string): Config {
    return {
      ...DEFAULTS,
      ...this.#plan.settings,
      'node.name': name,
      'node.zone': zone,
      'cluster.id': clusterId,
      'cluster.seeds': [SEED],
      'cluster.seedIntervalMs': 1000,
      'cluster.partitions': 8,
      'cluster.requestTimeoutMs': 5000,
      'storage.reserveBytes': 0,
      'storage.spaceCheckMs': 60_000,
      'expiry.intervalMs': 3_600_000,
      ...this.#plan.data?.settings,
    };
  }

  /** A read that failed is reported and tried again; nothing else that is reported can come of the faults. */
  #onBroken({ name }: Machine, error: unknown): void {
    this.trace.note(`${name} reports an error`, () => String(error));
    if (error instanceof Error && error.message.startsWith('EIO')) return;
    this.fail(new Violation('nodes report nothing broken', `${name}: ${stackOf(error)}`));
  }

  #onStarted(machine: Machine): void {
    const witness = witnessOf(machine);
    if (witness === undefined || machine.isRolledBack) return;
    this.watchOf(witness.identity.clusterId).started(witness);
    this.guard(() => machine.readFacts());
  }

  #onWritten(machine: Machine, batch: readonly PlainOperation[], sync: boolean): void {
    const fresh = machine.log.takeFresh();
    const witness = witnessOf(machine);
    if (sync && witness !== undefined && !machine.isRolledBack)
      this.dataOf(witness.identity.clusterId).written(machine, batch);
    if (fresh === undefined || witness === undefined || machine.isRolledBack) return;
    this.#identities.persisted(machine.log);
    const { clusterId } = witness.identity;
    this.watchOf(clusterId).persisted(witness, fresh, () => this.configurationsOf(clusterId));
    this.lookAt(machine);
  }

  #onSend({ machine }: SimTransport, message: PeerMessage): void {
    const sender = this.#byName.get(machine);
    const witness = sender && witnessOf(sender);
    if (message.type !== 'raft' || witness === undefined || sender?.isRolledBack === true) return;
    this.guard(() => this.watchOf(witness.identity.clusterId).sent(witness, message.message));
  }

  #onDeliver({ machine }: SimTransport, from: Hello, message: PeerMessage): void {
    const receiver = this.#byName.get(machine);
    const witness = receiver && witnessOf(receiver);
    if (
      message.type !== 'raft' ||
      from.member === undefined ||
      receiver === undefined ||
      witness === undefined
    )
      return;
    const watch = this.watchOf(witness.identity.clusterId);
    const known = watch.history.state?.members.get(from.member.number);
    // What an earlier life says is not listened to.
    if (from.clusterId !== witness.identity.clusterId || (known?.incarnation ?? 0) > from.member.incarnation)
      return;
    watch.received(message.message, {
      nowMs: this.timeline.nowMs * receiver.clock.rate,
      leaseMs: this.#plan.settings['raft.electionTimeoutMs'] - LEASE_MARGIN_MS,
      term: () => receiver.node?.cluster.status().term ?? 0,
    });
  }
}

function witnessOf({ name, log }: Machine): Witness | undefined {
  const { identity, directoryId } = log;
  return identity === undefined || directoryId === undefined
    ? undefined
    : { name, log, identity, directoryId };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
