import { Gossip } from '../core/gossip/gossip.ts';
import { type GossipPacket, isUp, type Rumour } from '../core/gossip/messages.ts';
import { GOSSIP_DEFAULTS } from '../core/gossip/options.ts';
import { gatherMs } from '../core/moves/gather.ts';
import type { MoveFacts } from '../core/moves/next-step.ts';
import { isMember } from '../core/raft/configuration.ts';
import type { Message as RaftMessage } from '../core/raft/messages.ts';
import { RAFT_DEFAULTS } from '../core/raft/options.ts';
import type { MemberId } from '../core/raft/types.ts';
import { follows } from '../core/topology/succession.ts';
import { type Succession, type TopologyState, toEpoch } from '../core/topology/types.ts';
import type { Hello, PeerReply } from '../peer/messages.ts';
import { AddressBook } from './address-book.ts';
import { announceStart } from './announcer.ts';
import { ClusterError } from './cluster-admin.ts';
import { GossipDriver } from './gossip-driver.ts';
import { bestSuccessor, type HandoverDeps, transferLeadership } from './handover.ts';
import { LeaderCalls } from './leader-calls.ts';
import { leaderRefusal, type RefusalFacts } from './leader-refusal.ts';
import { MemberFacts } from './member-facts.ts';
import type { MemberDeps, MemberOptions } from './member-options.ts';
import { MoveDriver } from './move-driver.ts';
import { isOtherLife } from './other-life.ts';
import { PartitionPlacer } from './partition-placer.ts';
import { RaftDriver } from './raft-driver.ts';
import { readBarrier } from './read-barrier.ts';
import { Soon } from './soon.ts';
import { type CommandOutcome, TopologyReplica } from './topology-replica.ts';
import { VoterKeeper } from './voter-keeper.ts';

/** A node's part in its cluster, from the turn in which it has a number until it stops or is excluded. */
export class Member {
  readonly options: MemberOptions;
  readonly topology = new TopologyReplica();
  readonly book = new AddressBook();
  readonly driver: RaftDriver<CommandOutcome | undefined>;
  readonly gossip: GossipDriver;
  readonly calls: LeaderCalls;
  readonly #deps: MemberDeps;
  readonly #keeper: VoterKeeper;
  readonly #placer: PartitionPlacer;
  readonly #facts: MemberFacts;
  readonly #mover: MoveDriver;
  /** What members confirm in the same moment is one step of the leader. */
  readonly #moveSoon: Soon;
  readonly #stopping = new AbortController();
  readonly #livenessListeners = new Set<() => void>();
  /** Where the leader was said to be by a node that was asked, for as long as this member has not heard of it itself. */
  #leaderHint: string | undefined;
  #leaderSeenMs: number;
  /** When another member last spoke as the leader. */
  #leaderHeardMs = Number.NEGATIVE_INFINITY;
  #announcing: Promise<void> = Promise.resolve();

  constructor(options: MemberOptions, deps: MemberDeps) {
    this.options = options;
    this.#deps = deps;
    this.#leaderSeenMs = deps.clock.monotonicMs();
    this.gossip = this.#createGossip();
    this.topology.onChange(() => this.#followTopology());
    this.driver = this.#createDriver();
    this.calls = this.#createCalls();
    this.#keeper = this.#createKeeper();
    this.#placer = this.#createPlacer();
    this.#facts = this.#createFacts();
    this.#mover = this.#createMover();
    this.#moveSoon = new Soon(
      { afterMs: () => gatherMs(this.topology.state?.partitions ?? []) },
      { clock: deps.clock, act: () => this.#mover.look() },
    );
    this.topology.onChange(() => this.#followMoves());
  }

  get number(): MemberId {
    return this.options.identity.member;
  }

  get succession(): Succession {
    const { incarnation, lives } = this.options.identity;
    return { incarnation, lives };
  }

  /**
   * Begins to take part, and registers this start. Where nobody else votes it leads at once, and the log is applied when
   * this resolves: a node that is alone serves nothing older than what it acknowledged (S7).
   */
  async start(): Promise<void> {
    this.#announcing = this.#announce();
    const { voters, votersOutgoing } = this.driver.status().configuration;
    if (voters.length !== 1 || voters[0] !== this.number || votersOutgoing.length > 0) return;
    this.driver.campaign();
    await this.driver.idle();
  }

  onRaft(from: Hello, message: RaftMessage): void {
    if (from.member?.number !== message.from || isOtherLife(from, this.topology.state)) return;
    this.driver.step(message);
    if (this.driver.leader === message.from) this.#leaderHeardMs = this.#deps.clock.monotonicMs();
  }

  onGossip(from: Hello, packet: GossipPacket): void {
    if (from.member?.number === packet.from && !isOtherLife(from, this.topology.state))
      this.gossip.step(packet);
  }

  /** A handshake proves where a member is, and that it lives. */
  onLink({ clusterId, member, peerAddress }: Hello): void {
    if (member === undefined || clusterId !== this.options.identity.clusterId) return;
    this.book.record(member.number, member.incarnation, peerAddress);
    this.gossip.heard(member.number, member.incarnation, peerAddress);
  }

  /** Whether it speaks as a member of this cluster in the newest life of it that is known here. */
  isPeer(from: Hello): boolean {
    return from.clusterId === this.options.identity.clusterId && !isOtherLife(from, this.topology.state);
  }

  hintLeader(address: string | undefined): void {
    this.#leaderHint = address;
  }

  leaderAddress(): string | undefined {
    const { leader } = this.driver;
    if (leader === undefined) return this.#leaderHint;
    return leader === this.number ? undefined : this.book.addressOf(leader);
  }

  /**
   * Whether a leader counts this member in, which then has all reason to doubt a peer that says it is excluded. A leader
   * that nobody answers has no word but its own: it may be an old copy of a directory.
   */
  isCountedIn(): boolean {
    const { driver, options } = this;
    if (driver.isLeader) {
      const { progress, configuration } = driver.status();
      const isAnswered = [...progress].some(([member, { isActive }]) => member !== this.number && isActive);
      return isAnswered || configuration.voters.length > 1;
    }
    const silentMs = this.#deps.clock.monotonicMs() - this.#leaderHeardMs;
    return driver.leader !== undefined && silentMs < 2 * options.electionTimeoutMs;
  }

  /** How long this member has known no leader; 0 while it knows one. */
  leaderlessForMs(): number {
    const { clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    if (this.driver.leader !== undefined) this.#leaderSeenMs = nowMs;
    return nowMs - this.#leaderSeenMs;
  }

  /** Everything committed before the call is applied here once this resolves; throws ClusterError NO_LEADER. */
  async readBarrier(signal: AbortSignal): Promise<void> {
    await readBarrier(this.options, { clock: this.#deps.clock, driver: this.driver }, signal);
  }

  /** Hands leadership to `to`, or to the live voter that is furthest; resolves with the new leader. */
  transferLeadership(to: MemberId | undefined, signal: AbortSignal): Promise<MemberId> {
    return transferLeadership(this.options, this.#handover, to, signal);
  }

  /** The answer to another member that asks this one, as the leader, to hand over. */
  async transferHere(to: MemberId | undefined, signal: AbortSignal): Promise<PeerReply> {
    if (!this.driver.isLeader) return this.calls.notLeader();
    try {
      const leader = await this.transferLeadership(to, signal);
      return { type: 'done', epoch: this.topology.epoch, subject: leader };
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      return { type: 'transfer-refused', message: error.message };
    }
  }

  /** Leaves in good order: leadership goes to another voter first. */
  async stop({ isGraceful }: { readonly isGraceful: boolean }): Promise<void> {
    if (isGraceful) {
      if (this.driver.isLeader && bestSuccessor(this.#handover) !== undefined)
        await this.transferLeadership(undefined, this.#stopping.signal).catch(() => {});
      this.gossip.leave();
    }
    this.#stopping.abort();
    this.gossip.stop();
    this.#keeper.stop();
    this.#placer.stop();
    this.#mover.stop();
    this.#moveSoon.stop();
    await this.driver.stop();
    await this.#announcing;
  }

  /** As far as gossip tells; this member itself is. */
  isUp(member: MemberId): boolean {
    if (member === this.number) return true;
    const liveness = this.gossip.view.get(member)?.rumour.liveness;
    return liveness === undefined || isUp(liveness);
  }

  /** What this member knows of the others beside `state`, by its own gossip: what the leader does follows from the leader's. */
  moveFacts(state: TopologyState): MoveFacts {
    return this.#facts.of(state);
  }

  /** As `moveFacts`, with who votes. */
  stopFacts(state: TopologyState): MoveFacts & { readonly voters: readonly MemberId[] } {
    return { ...this.moveFacts(state), voters: this.driver.status().configuration.voters };
  }

  /** Called whenever gossip may have changed who is up; returns how to end that. */
  onLiveness(listener: () => void): () => void {
    this.#livenessListeners.add(listener);
    return () => this.#livenessListeners.delete(listener);
  }

  #createGossip(): GossipDriver {
    const { clock, random, transport } = this.#deps;
    const { identity, announcement } = this.options;
    const self: Rumour = {
      member: identity.member,
      liveness: 'alive',
      incarnation: identity.incarnation,
      refutation: 0,
      address: announcement.peerAddress,
      epoch: toEpoch(0),
      load: 0,
    };
    const below = (bound: number): number => Math.floor(random.unit() * bound);
    return new GossipDriver({
      clock,
      gossip: new Gossip(gossipOptions(this.options), { random: { below }, self }),
      send: (address, packet) => transport.send(address, { type: 'gossip', packet }),
      onChange: () => this.#learnAddresses(),
    });
  }

  #createDriver(): RaftDriver<CommandOutcome | undefined> {
    const { clock, random, store, persisted, events } = this.#deps;
    const { identity, heartbeatMs, electionTimeoutMs, snapshotEntries, entriesKept } = this.options;
    const { member: id, incarnation } = identity;
    const electionTimeoutTicks = Math.max(2, Math.round(electionTimeoutMs / heartbeatMs));
    const raft = { ...RAFT_DEFAULTS, id, incarnation, electionTimeoutTicks };
    return new RaftDriver(
      { raft, tickMs: heartbeatMs, snapshotEntries, entriesKept },
      {
        ...{ clock, random, store, persisted },
        machine: this.topology,
        send: (message) => this.#send(message),
        onProgress: () => this.#onProgress(),
        onFailed: events.onFailed,
      },
    );
  }

  #createCalls(): LeaderCalls {
    const { clock, transport, events } = this.#deps;
    const { requestTimeoutMs, electionTimeoutMs } = this.options;
    return new LeaderCalls(
      { timeoutMs: requestTimeoutMs, leaderWaitMs: 3 * electionTimeoutMs },
      {
        ...{ clock, transport, driver: this.driver, topology: this.topology },
        leaderAddress: () => this.leaderAddress(),
        refusesHere: (command) => leaderRefusal(command, this.topology.state, this.#refusalFacts()),
        transferHere: (to, signal) => this.transferHere(to, signal),
        onProposed: events.onProposed,
      },
    );
  }

  #refusalFacts(): RefusalFacts {
    return {
      configuration: this.driver.status().configuration,
      namespacesMax: this.options.namespacesMax,
      isUp: (member) => this.isUp(member),
      stopFacts: (state) => this.stopFacts(state),
    };
  }

  #createKeeper(): VoterKeeper {
    return new VoterKeeper(
      {
        self: this.number,
        voting: this.options.voting,
        intervalMs: this.#keepingMs,
        lagEntriesMax: RAFT_DEFAULTS.promotionLagEntriesMax,
      },
      { clock: this.#deps.clock, driver: this.driver, topology: this.topology, gossip: this.gossip },
    );
  }

  #createPlacer(): PartitionPlacer {
    return new PartitionPlacer(
      { initialMembers: this.options.initialMembers, intervalMs: this.#keepingMs },
      {
        clock: this.#deps.clock,
        topology: this.topology,
        isLeader: () => this.driver.isLeader,
        isUp: (member) => this.isUp(member),
        propose: (command) => this.calls.proposeHere(command),
      },
    );
  }

  /** The next step of a move follows what was confirmed, not the clock: else each of its stages would wait for it. */
  #followMoves(): void {
    const isMoving = this.topology.state?.partitions.some(({ move }) => move !== undefined);
    if (this.driver.isLeader && isMoving) this.#moveSoon.ask();
  }

  #createFacts(): MemberFacts {
    return new MemberFacts({
      clock: this.#deps.clock,
      isLeader: () => this.driver.isLeader,
      isUp: (member) => this.isUp(member),
    });
  }

  #createMover(): MoveDriver {
    return new MoveDriver(
      { automatic: this.options.automatic, intervalMs: this.#keepingMs },
      {
        clock: this.#deps.clock,
        topology: this.topology,
        isLeader: () => this.driver.isLeader,
        facts: (state) => this.moveFacts(state),
        note: (state) => this.#facts.note(state),
        downForMs: (member) => this.#facts.downForMs(member),
        load: () => this.gossip.highestLoad,
        propose: (command) => this.calls.proposeHere(command),
      },
    );
  }

  /** Time between two looks of the leader at what the topology asks for. */
  get #keepingMs(): number {
    return Math.max(this.options.heartbeatMs, this.options.electionTimeoutMs / 4);
  }

  #announce(): Promise<void> {
    const { directoryId, announcement, heartbeatMs } = this.options;
    const { clock, events } = this.#deps;
    return announceStart(
      {
        member: this.number,
        directoryId,
        succession: this.succession,
        announcement,
        intervalMs: 2 * heartbeatMs,
      },
      { clock, calls: this.calls, topology: this.topology, ...events, onError: events.onBackgroundError },
      this.#stopping.signal,
    );
  }

  #send(message: RaftMessage): void {
    const address = this.book.addressOf(message.to);
    if (address !== undefined) this.#deps.transport.send(address, { type: 'raft', message });
  }

  #onProgress(): void {
    this.leaderlessForMs();
    if (this.driver.leader !== undefined) this.#leaderHint = undefined;
    this.#leaveIfRemoved();
    this.#deps.events.onProgress();
  }

  #learnAddresses(): void {
    for (const { rumour } of this.gossip.view.values())
      if (rumour.member !== this.number) this.book.record(rumour.member, rumour.incarnation, rumour.address);
    for (const listener of this.#livenessListeners) listener();
    this.#deps.events.onProgress();
  }

  #followTopology(): void {
    const { state } = this.topology;
    if (state === undefined) return;
    const { events } = this.#deps;
    this.gossip.follow(state);
    for (const { number, incarnation, peerAddress } of state.members.values())
      if (number !== this.number) this.book.record(number, incarnation, peerAddress);
    const own = state.members.get(this.number);
    if (own === undefined) return;
    if (!follows(this.succession, own))
      events.onStale(
        `the cluster has seen incarnation ${own.incarnation} of this member in a life that this directory does not know`,
      );
  }

  /**
   * A removed voter goes on voting until a configuration without it is committed: the majority may need it for just that.
   * Where it does not hear of that any more, the other members refuse its links, and it learns it so.
   */
  #leaveIfRemoved(): void {
    const { state } = this.topology;
    if (state === undefined || state.members.has(this.number) || this.number >= state.nextMember) return;
    const { configuration, configurationIndex, commit } = this.driver.status();
    if (isMember(configuration, this.number) || configurationIndex > commit) return;
    this.#deps.events.onRemoved('this member was removed from the cluster, or replaced');
  }

  get #handover(): HandoverDeps {
    const isAlive = (voter: MemberId): boolean => this.gossip.view.get(voter)?.rumour.liveness === 'alive';
    return { clock: this.#deps.clock, driver: this.driver, self: this.number, isAlive };
  }
}

function gossipOptions({ gossipPeriodMs, gossipProbeTimeoutMs }: MemberOptions) {
  return { ...GOSSIP_DEFAULTS, periodMs: gossipPeriodMs, probeTimeoutMs: gossipProbeTimeoutMs };
}
