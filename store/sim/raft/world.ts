import { createPrng, type Prng } from '../../core/prng/prng.ts';
import { bootstrapState, emptyState } from '../../core/raft/bootstrap.ts';
import { type Change, configurationOf, membersOf } from '../../core/raft/configuration.ts';
import type { Message } from '../../core/raft/messages.ts';
import type { RaftOptions } from '../../core/raft/options.ts';
import type { RaftStatus } from '../../core/raft/status.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { RaftChecker } from './checker.ts';
import { formatMessage, formatOutcome, formatStatus } from './format.ts';
import { Host } from './host.ts';
import { RaftViolation } from './violation.ts';

export type WorldReport = { readonly steps: number; readonly committed: number; readonly terms: number };

const MEMBERS_MAX = 9;
const TICKS_TO_CONVERGE = 400;

/**
 * A Raft group under random faults, everything drawn from one seed: messages are lost, repeated and reordered,
 * ways are cut, members crash between any two steps and lose what is not on disk, the membership changes, logs
 * are compacted. The checker looks on at every step. Then the faults stop and the group must converge.
 */
export class RaftWorld {
  readonly #prng: Prng;
  readonly #hosts = new Map<MemberId, Host>();
  readonly #checker = new RaftChecker();
  readonly #options: Partial<RaftOptions>;
  readonly #weights: readonly { readonly weight: number; readonly act: () => void }[];
  readonly #weightSum: number;
  readonly #trace: ((line: string) => void) | undefined;
  #wire: Message[] = [];
  /** Cut ways, and the step at which they heal. */
  readonly #cuts = new Map<string, number>();
  readonly #speeds = new Map<MemberId, number>();
  /** Members that stand still, as under SIGSTOP, and the step at which they go on. */
  readonly #paused = new Map<MemberId, number>();
  #now = 0;
  #lossPercent = 0;
  #repeatPercent = 0;
  #proposals = 0;

  constructor(seed: number, trace?: (line: string) => void) {
    this.#trace = trace;
    this.#prng = createPrng(seed);
    this.#options = drawOptions(this.#prng);
    this.#lossPercent = this.#prng.below(15);
    this.#repeatPercent = this.#prng.below(15);
    this.#weights = this.#drawWeights();
    this.#weightSum = this.#weights.reduce((sum, { weight }) => sum + weight, 0);
    const voters = Array.from({ length: 1 + this.#prng.below(5) }, (_, i) => i + 1);
    for (const id of voters) this.#addHost(id, bootstrapState(configurationOf(voters)));
  }

  /** Throws a RaftViolation, or what the core throws, where a promise is broken. */
  run(): WorldReport {
    const steps = 1000 + this.#prng.below(7000);
    for (; this.#now < steps; this.#now++) this.#pick(this.#weights).act();
    this.#converge();
    const terms = Math.max(...[...this.#hosts.values()].map((host) => host.raft.status().term));
    return { steps, committed: this.#checker.committed, terms };
  }

  /** Which faults are frequent differs by seed, so that rare combinations come up (swarm testing). */
  #drawWeights(): { weight: number; act: () => void }[] {
    const common: (() => void)[] = [() => this.#deliver(), () => this.#work()];
    const rare: (() => void)[] = [
      () => this.#change(),
      () => this.#compact(),
      () => this.#transfer(),
      () => this.#crash(),
      () => this.#cutWays(),
      () => this.#pause(),
    ];
    return [
      ...common.map((act) => ({ weight: 120 + this.#prng.below(200), act })),
      { weight: 2 + this.#prng.below(20), act: () => this.#tick() },
      { weight: 10 + this.#prng.below(20), act: () => this.#start() },
      { weight: 5 + this.#prng.below(30), act: () => this.#propose() },
      { weight: this.#prng.below(30), act: () => this.#read() },
      ...rare.map((act) => ({ weight: this.#prng.below(3) * this.#prng.below(4), act })),
    ];
  }

  #pick(weights: readonly { readonly weight: number; readonly act: () => void }[]) {
    let left = this.#prng.below(this.#weightSum);
    for (const one of weights) {
      left -= one.weight;
      if (left < 0) return one;
    }
    throw new Error('weights do not add up');
  }

  #tick(): void {
    const host = this.#anyUp();
    // Clocks run at different speeds: a slow leader stays long in an office that it has lost.
    if (host === undefined || this.#prng.below(4) > (this.#speeds.get(host.id) ?? 0)) return;
    const count = 1 + this.#prng.below(3);
    this.#trace?.(`${host.id} ticks ${count}`);
    for (let i = 0; i < count; i++) host.raft.tick();
    this.#checker.observe(host, this.#hosts);
  }

  #deliver(): void {
    if (this.#wire.length === 0) {
      if (this.#prng.below(4) === 0) this.#tick();
      return;
    }
    const place = this.#prng.below(Math.min(this.#wire.length, this.#prng.below(4) === 0 ? 1000 : 3));
    const message = this.#wire[place] as Message;
    if (this.#prng.below(100) >= this.#repeatPercent) this.#wire.splice(place, 1);
    const isLost = this.#prng.below(100) < this.#lossPercent || this.#isCut(message);
    if (isLost) return;
    // A pause delays what is on its way, and what comes meanwhile.
    if (this.#isPaused(message.to)) this.#wire.push(message);
    else this.#step(message);
  }

  #step(message: Message): void {
    const host = this.#hosts.get(message.to);
    if (host?.isUp !== true) return;
    this.#trace?.(formatMessage(message));
    host.raft.step(message);
    this.#checker.observe(host, this.#hosts);
  }

  /** One step of the Ready of some member: the next one is somebody else's. */
  #work(): void {
    const busy = [...this.#hosts.values()].filter((host) => host.isBusy && !this.#isPaused(host.id));
    const host = this.#prng.below(3) > 0 ? busy[this.#prng.below(busy.length)] : this.#anyUp();
    if (host !== undefined) this.#workAt(host);
  }

  /** False where there is nothing to do. */
  #workAt(host: Host): boolean {
    if (!host.isBusy) {
      const ready = host.take();
      if (ready === undefined) return false;
      this.#send(ready.earlyMessages);
    } else if (!host.isPersisted) {
      host.persist();
      this.#trace?.(`${host.id} persists: ${formatStatus(host.raft.status())}`);
      this.#checker.persisted(host);
    } else {
      for (const read of host.ready.reads) {
        const { member, incarnation, sequence } = read.id;
        if (read.type === 'confirmed') {
          this.#checker.readConfirmed(`${member}/${incarnation}/${sequence}`, read.index);
        }
      }
      this.#send(host.finish());
    }
    this.#checker.observe(host, this.#hosts);
    return true;
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#checker.sent(message);
      this.#wire.push(message);
    }
    // A network does not hold on to messages for ever.
    if (this.#wire.length > 300) this.#wire.splice(0, this.#prng.below(100));
  }

  #propose(): void {
    const host = this.#anyLeader() ?? this.#anyUp();
    if (host === undefined) return;
    this.#proposals++;
    const text = `p${this.#proposals}`;
    const outcome = host.raft.propose(new TextEncoder().encode(text));
    this.#trace?.(`${host.id} proposes ${text}: ${formatOutcome(outcome)}`);
    if (outcome.type === 'refused') this.#checker.refused(text);
  }

  #read(): void {
    const host = this.#anyUp();
    const outcome = host?.raft.readIndex();
    if (outcome?.type !== 'asked') return;
    const { member, incarnation, sequence } = outcome.id;
    this.#checker.readAsked(`${member}/${incarnation}/${sequence}`);
  }

  #change(): void {
    const host = this.#anyLeader();
    if (host === undefined) return;
    const changes = this.#drawChanges(host.raft.status());
    const outcome = host.raft.proposeConfChange(changes);
    const text = changes.map((one) => `${one.type} ${one.member}`).join(', ');
    this.#trace?.(`${host.id} changes ${text}: ${formatOutcome(outcome)}`);
  }

  #drawChanges({ configuration }: RaftStatus): Change[] {
    const changes: Change[] = [];
    for (const member of membersOf(configuration)) {
      if (this.#prng.below(3) > 0) continue;
      const isLearner = configuration.learners.includes(member);
      const type = isLearner ? 'promote' : this.#prng.below(2) === 0 ? 'demote' : 'remove';
      changes.push({ type, member });
    }
    const next = Math.max(...this.#hosts.keys()) + 1;
    if (next <= MEMBERS_MAX && this.#prng.below(2) === 0) {
      this.#addHost(next, emptyState());
      changes.push({ type: 'add-learner', member: next });
    }
    return changes;
  }

  #compact(): void {
    const host = this.#anyUp();
    if (host === undefined) return;
    host.compact(this.#prng.below(4));
    this.#trace?.(`${host.id} compacts: ${formatStatus(host.raft.status())}`);
  }

  #transfer(): void {
    const host = this.#anyLeader();
    if (host === undefined) return;
    const to = 1 + this.#prng.below(this.#hosts.size);
    const outcome = host.raft.transferLeadership(to);
    this.#trace?.(`${host.id} transfers to ${to}: ${formatOutcome(outcome)}`);
  }

  #crash(): void {
    const host = this.#anyUp();
    if (host === undefined) return;
    this.#trace?.(`${host.id} crashes`);
    host.crash();
    this.#checker.restarted(host);
  }

  #start(): void {
    const down = [...this.#hosts.values()].filter((host) => !host.isUp);
    const host = down[this.#prng.below(down.length)];
    if (host === undefined) return;
    this.#trace?.(`${host.id} starts`);
    host.start();
  }

  /** Splits the members in two, or cuts one way between two of them. */
  #cutWays(): void {
    const ids = [...this.#hosts.keys()];
    const isSplit = this.#prng.below(3) > 0;
    const until = this.#now + this.#prng.below(2000);
    const side = new Set(ids.filter(() => this.#prng.below(2) === 0));
    const [a, b] = [this.#prng.below(ids.length) + 1, this.#prng.below(ids.length) + 1];
    for (const from of ids) {
      for (const to of ids) {
        const isCut = isSplit ? side.has(from) !== side.has(to) : from === a && to === b;
        if (isCut) this.#cuts.set(`${from} ${to}`, until);
      }
    }
    this.#trace?.(`cut: ${[...this.#cuts.keys()].join(', ')}`);
  }

  /** The faults stop: within bounded ticks one leader stands, and every member of its configuration equals it. */
  #converge(): void {
    this.#trace?.('the faults stop');
    this.#cuts.clear();
    this.#paused.clear();
    this.#lossPercent = 0;
    for (const host of this.#hosts.values()) if (!host.isUp) host.start();
    for (let tick = 0; tick < TICKS_TO_CONVERGE; tick++) {
      for (const host of this.#hosts.values()) host.raft.tick();
      this.#settle();
      if (this.#hasConverged()) return;
    }
    const states = [...this.#hosts.values()].map((host) => formatStatus(host.raft.status()));
    throw new RaftViolation(`no convergence within ${TICKS_TO_CONVERGE} ticks:\n${states.join('\n')}`);
  }

  #settle(): void {
    for (let round = 0; round < 1000; round++) {
      const messages = this.#wire.splice(0);
      for (const message of messages) this.#step(message);
      let isQuiet = messages.length === 0;
      for (const host of this.#hosts.values()) while (this.#workAt(host)) isQuiet = false;
      if (isQuiet) return;
    }
    throw new RaftViolation('the members never stop talking between two ticks');
  }

  #hasConverged(): boolean {
    const leader = this.#anyLeader();
    if (leader === undefined) return false;
    const outcome = leader.raft.propose(new TextEncoder().encode(`last ${this.#proposals++}`));
    if (outcome.type === 'refused') return false;
    this.#settle();
    const { configuration, term } = leader.raft.status();
    if (configuration.votersOutgoing.length > 0) return false;
    return membersOf(configuration).every((member) => {
      const machine = this.#hosts.get(member)?.machine;
      return (
        machine?.digest === leader.machine.digest && this.#hosts.get(member)?.raft.status().term === term
      );
    });
  }

  #addHost(id: MemberId, disk: ReturnType<typeof emptyState>): void {
    const onApply = this.#checker.applied.bind(this.#checker);
    this.#speeds.set(id, this.#prng.below(4));
    this.#hosts.set(id, new Host(id, this.#options, { random: this.#prng, disk, onApply }));
  }

  #pause(): void {
    const host = this.#anyUp();
    if (host === undefined) return;
    this.#trace?.(`${host.id} pauses`);
    this.#paused.set(host.id, this.#now + this.#prng.below(1000));
  }

  #isCut({ from, to }: Message): boolean {
    return (this.#cuts.get(`${from} ${to}`) ?? 0) > this.#now;
  }

  #isPaused(id: MemberId): boolean {
    return (this.#paused.get(id) ?? 0) > this.#now;
  }

  #anyUp(): Host | undefined {
    const up = [...this.#hosts.values()].filter((host) => host.isUp && !this.#isPaused(host.id));
    return up[this.#prng.below(up.length)];
  }

  /** Of those that think they lead, often the one of the latest term. */
  #anyLeader(): Host | undefined {
    const leaders = [...this.#hosts.values()].filter(
      (host) => host.isUp && host.raft.status().role === 'leader',
    );
    leaders.sort((a, b) => b.raft.status().term - a.raft.status().term);
    return leaders[this.#prng.below(4) > 0 ? 0 : this.#prng.below(leaders.length)];
  }
}

/** Small limits, so that every limit is met. */
function drawOptions(prng: Prng): Partial<RaftOptions> {
  return {
    electionTimeoutTicks: 4 + prng.below(6),
    heartbeatTicks: 1 + prng.below(2),
    appendBytesMax: 20 + prng.below(100),
    appendsInFlightMax: 1 + prng.below(4),
    bytesInFlightMax: 40 + prng.below(200),
    commandBytesMax: 100,
    uncommittedBytesMax: 200 + prng.below(400),
    applyBytesMax: 20 + prng.below(200),
    snapshotChunkBytes: 3 + prng.below(10),
    promotionLagEntriesMax: prng.below(30),
  };
}
