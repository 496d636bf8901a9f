import type { PersistedState } from '../core/raft/types.ts';
import { presentLife } from '../core/topology/succession.ts';
import type { Announcement } from '../core/topology/types.ts';
import type { Hello, HelloRefusal } from '../peer/messages.ts';
import type { LoadedRaft } from '../storage/raft-store/load-raft.ts';
import { type BootstrapRequest, ClusterError } from './cluster-admin.ts';
import type { ClusterNodeDeps, ClusterNodeOptions } from './cluster-node-options.ts';
import {
  becomeFirstMember,
  becomeMember,
  beginJoining,
  type DataDirectory,
  drawId,
  firstIdentity,
  forgetEarlierLives,
  giveUpIdentity,
  type Identity,
} from './data-directory.ts';
import { firstState, newMemberState } from './first-state.ts';
import { askToJoin } from './joiner.ts';
import { Member } from './member.ts';
import type { Phase } from './phase.ts';
import { alreadyMember, belongsTo, damagedAndAlone, firstReason, mayBeOf } from './phase-reasons.ts';
import { SeedSearch, type WhoReply } from './seed-search.ts';

/**
 * The life of a node in its cluster: waits, makes or joins one, takes part, is excluded. Changes of phase happen one at a
 * time, each durable before it is shown.
 */
export class ClusterNode {
  readonly options: ClusterNodeOptions;
  readonly #deps: ClusterNodeDeps;
  readonly #search: SeedSearch;
  readonly #stopping = new AbortController();
  #directory: DataDirectory;
  #phase: Phase;
  #changing: Promise<unknown> = Promise.resolve();
  #searching: Promise<void> = Promise.resolve();

  constructor(options: ClusterNodeOptions, deps: ClusterNodeDeps, directory: DataDirectory) {
    this.options = options;
    this.#deps = deps;
    this.#directory = directory;
    this.#phase = this.#phaseWithoutMember(firstReason(options.seeds));
    this.#search = new SeedSearch(
      { seeds: options.seeds, intervalMs: options.seedIntervalMs, timeoutMs: options.requestTimeoutMs },
      {
        clock: deps.clock,
        transport: deps.transport,
        resolver: deps.resolver,
        addresses: () => this.#knownAddresses(),
        onSilence: () =>
          this.#waitFor(`none of the seeds answers (cluster.seeds: ${options.seeds.join(', ')})`),
        onUnresolved: (seed, error) =>
          deps.events.onNotice(`the seed ${seed} cannot be resolved`, { reason: (error as Error).message }),
        onError: deps.events.onBackgroundError,
      },
    );
  }

  get phase(): Phase {
    return this.#phase;
  }

  get directory(): DataDirectory {
    return this.#directory;
  }

  get member(): Member | undefined {
    return this.#phase.type === 'member' ? this.#phase.member : undefined;
  }

  /** Takes up what the directory says; the transport is listening already. */
  async start(loaded: LoadedRaft): Promise<void> {
    const { identity } = this.#directory;
    if (identity !== undefined && loaded.type === 'intact') await this.#takePart(identity, loaded.state);
    else if (identity !== undefined) await this.#rejoinDamaged(identity, loaded);
    else if (this.options.bootstrap && this.#directory.joining === undefined)
      await this.#bootstrapUnlessFound();
    const isNeeded = (): boolean =>
      this.#phase.type !== 'excluded' && this.member?.driver.leader === undefined;
    const { signal } = this.#stopping;
    this.#searching = this.#search.run(isNeeded, (address, reply) => this.#onWho(address, reply), signal);
  }

  /** Makes a cluster whose only member is this node. The same id again is a success. */
  bootstrap(request: BootstrapRequest): Promise<{ readonly clusterId: string; readonly created: boolean }> {
    return this.#change(async () => {
      const phase = this.#phase;
      if (this.#stopping.signal.aborted) throw new ClusterError('CLUSTER_WAITING', 'this node is stopping');
      if (phase.type === 'member') return alreadyMember(phase.member.options.identity.clusterId, request);
      if (phase.type !== 'waiting') throw belongsTo(phase);
      const { engine, random } = this.#deps;
      const wanted = request.clusterId ?? this.options.clusterId;
      const clusterId = wanted === '' ? drawId(random) : wanted;
      if (this.options.clusterId !== '' && clusterId !== this.options.clusterId)
        throw mayBeOf(this.options.clusterId, clusterId);
      const partitions = request.partitions ?? this.options.partitions;
      const identity = firstIdentity(random, { clusterId, member: 1, partitions });
      const state = firstState({
        clusterId,
        settings: {
          partitions,
          replicationFactor: request.replicationFactor ?? this.options.replicationFactor,
        },
        createdAtMs: this.#deps.clock.nowMs(),
        first: {
          ...this.announcement(),
          name: this.options.name,
          directoryId: this.#directory.directoryId,
          weight: this.options.weight,
          incarnation: identity.incarnation,
          life: presentLife(identity),
        },
      });
      await becomeFirstMember(engine, identity, state);
      await this.#enter(identity);
      return { clusterId, created: true };
    });
  }

  /**
   * The setting outlives the first start: a node that lost its disk would make a second cluster beside the one that its
   * seeds are of. So they are asked once; where one of them is of a cluster, this node joins that.
   */
  async #bootstrapUnlessFound(): Promise<void> {
    let found: string | undefined;
    await this.#search.look((_, { clusterId }) => {
      found ??= clusterId;
    }, this.#stopping.signal);
    if (found === undefined) await this.bootstrap({});
    else
      this.#deps.events.onNotice('a seed is of a cluster: this node joins it instead of making one', {
        clusterId: found,
      });
  }

  announcement(): Announcement {
    return { ...this.options.announcement, peerAddress: this.#deps.transport.address };
  }

  /**
   * A peer's refusal may be the first that this node hears of its own exclusion. It is no more than that peer's word, so
   * it counts only where no leader says otherwise; who is refused keeps asking, and is told again.
   */
  onRefused(address: string, by: 'us' | 'them', refusal: HelloRefusal, peer: Hello | undefined): void {
    this.#deps.events.onRefused(address, by, refusal, peer);
    const { member } = this;
    if (by === 'us' || member === undefined || member.isCountedIn()) return;
    if (refusal.code === 'STALE_MEMBER') this.#onStale(refusal.message);
    if (refusal.code === 'REMOVED_MEMBER') this.#onRemoved(refusal.message);
  }

  onLink(peer: Hello): void {
    this.member?.onLink(peer);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#searching;
    await this.#change(async () => {
      await this.member?.stop({ isGraceful: true });
    });
  }

  /** One change of phase at a time. */
  #change<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(change);
    this.#changing = result.catch(() => {});
    return result;
  }

  #show(phase: Phase): void {
    this.#phase = phase;
    this.#deps.events.onPhase(phase);
  }

  /** The identity is durable: goes on from what is on the disk, like after any other start. */
  async #enter(identity: Identity): Promise<void> {
    await this.#takePart(identity, await this.#loadWritten());
  }

  /** The directory is a member's from here on: only a new start may make of it what it was before. */
  async #loadWritten(): Promise<PersistedState> {
    try {
      const loaded = await this.#deps.raftStore.load();
      if (loaded.type === 'intact') return loaded.state;
      throw new Error('a Raft log that was just written cannot be read');
    } catch (error) {
      this.#deps.events.onFailed(error);
      throw error;
    }
  }

  /** Takes part from now on. What was said to peers before is said anew. */
  async #takePart(identity: Identity, persisted: PersistedState): Promise<void> {
    this.#directory = { ...this.#directory, identity, joining: undefined };
    const { clock, random, transport, raftStore, events } = this.#deps;
    const member: Member = new Member(
      {
        ...this.options,
        directoryId: this.#directory.directoryId,
        identity,
        announcement: this.announcement(),
      },
      {
        clock,
        random,
        transport,
        store: raftStore,
        persisted,
        events: {
          ...events,
          onStale: (message) => this.#onStale(message),
          onRemoved: (message) => this.#onRemoved(message),
          onAnnounced: () => this.#onAnnounced(identity),
        },
      },
    );
    this.#show({ type: 'member', member });
    transport.reset();
    await member.start();
  }

  /** The cluster knows this life: from now on the directory need not remember the ones before. */
  #onAnnounced(identity: Identity): void {
    if (identity.lives.length === 1) return;
    const forgetting = this.#change(async () => {
      if (this.#directory.identity !== identity) return;
      this.#directory = {
        ...this.#directory,
        identity: await forgetEarlierLives(this.#deps.meta, identity),
      };
    });
    forgetting.catch(this.#deps.events.onBackgroundError);
  }

  #onStale(message: string): void {
    this.#leave(async ({ identity }) => {
      this.#deps.events.onNotice(
        'this directory is older than what the cluster saw of it: rejoining as a replacement',
        {
          reason: message,
        },
      );
      await this.#giveUp(identity);
    });
  }

  #onRemoved(message: string): void {
    this.#leave(async ({ identity }) => {
      const reason = `${message}; to bring this node back, start it with an empty directory`;
      this.#show({ type: 'excluded', clusterId: identity.clusterId, reason });
    });
  }

  /** Ends the member's part, once, and goes on with `next`. */
  #leave(next: (member: { readonly identity: Identity }) => Promise<void>): void {
    const leaving = this.#change(async () => {
      const { member } = this;
      if (member === undefined || this.#stopping.signal.aborted) return;
      await member.stop({ isGraceful: false });
      await next({ identity: member.options.identity });
      this.#deps.transport.reset();
    });
    leaving.catch(this.#deps.events.onBackgroundError);
  }

  async #giveUp({ clusterId }: Pick<Identity, 'clusterId'>): Promise<void> {
    this.#directory = await giveUpIdentity(this.#deps, clusterId);
    this.#show(this.#phaseWithoutMember('a replacement for what this directory was is being asked for'));
  }

  /**
   * What was promised under this identity cannot be read any more: it must not vote, nor lead (S5). It is given up once
   * the others are seen to go on without it: until then this may be the only copy of the topology there is, and what can
   * be read of it is for a recovery by hand.
   */
  async #rejoinDamaged(identity: Identity, loaded: LoadedRaft): Promise<void> {
    const reason = loaded.type === 'damaged' ? loaded.reason : 'the log is missing';
    if (this.options.seeds.length === 0) throw damagedAndAlone(identity.member, reason);
    const notice = 'the Raft log is damaged: looking for the others, to rejoin as a replacement';
    this.#deps.events.onNotice(notice, { reason });
    this.#show({
      type: 'joining',
      clusterId: identity.clusterId,
      reason: `the Raft log is damaged (${reason}), and a leader of the others is being looked for`,
    });
  }

  #phaseWithoutMember(reason: string): Phase {
    const { joining } = this.#directory;
    return joining === undefined
      ? { type: 'waiting', reason }
      : { type: 'joining', clusterId: joining, reason };
  }

  #waitFor(reason: string): void {
    if (this.#phase.type !== 'waiting' && this.#phase.type !== 'joining') return;
    if (this.#phase.reason !== reason) this.#show({ ...this.#phase, reason });
  }

  async #onWho(address: string, { clusterId, leader, refusal }: WhoReply): Promise<void> {
    const { member } = this;
    if (member !== undefined) {
      if (refusal !== undefined) this.onRefused(address, 'them', refusal, undefined);
      if (clusterId === member.options.identity.clusterId && member.driver.leader === undefined)
        member.hintLeader(leader?.address);
      return;
    }
    await this.#change(() => this.#join(address, clusterId, leader?.address));
  }

  async #join(address: string, clusterId: string | undefined, leader: string | undefined): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    if (this.#phase.type !== 'waiting' && this.#phase.type !== 'joining') return;
    if (clusterId === undefined) return this.#waitFor(`${address} is of no cluster yet either`);
    const wanted = this.#phase.type === 'joining' ? this.#phase.clusterId : this.options.clusterId;
    if (wanted !== '' && clusterId !== wanted)
      return this.#waitFor(
        `${address} is of the cluster ${clusterId}, and this node may join ${wanted} only`,
      );
    if (this.#phase.type === 'waiting') await this.#beginJoining(clusterId);
    const { identity } = this.#directory;
    if (identity !== undefined) {
      if (leader === undefined) return this.#waitFor(`the cluster at ${address} has no leader`);
      await this.#giveUp(identity);
    }
    await this.#askToJoin(clusterId, leader ?? address);
  }

  async #beginJoining(clusterId: string): Promise<void> {
    await beginJoining(this.#deps.meta, clusterId);
    this.#directory = { ...this.#directory, joining: clusterId };
    this.#show({ type: 'joining', clusterId, reason: 'a member number is being asked for' });
  }

  async #askToJoin(clusterId: string, address: string): Promise<void> {
    const { clock, transport, engine } = this.#deps;
    const { name, weight, requestTimeoutMs, heartbeatMs } = this.options;
    const { directoryId } = this.#directory;
    const joined = await askToJoin(
      { clusterId, name, directoryId, weight, ...this.announcement() },
      address,
      {
        clock,
        transport,
        timeoutMs: requestTimeoutMs,
        retryMs: heartbeatMs,
        onWaiting: (reason) => this.#waitFor(reason),
      },
      this.#stopping.signal,
    );
    if (joined === undefined || this.#stopping.signal.aborted) return;
    if (joined.type === 'stale') {
      this.#deps.events.onNotice('this directory is older than what the cluster saw of it', {
        reason: joined.reason,
      });
      return this.#giveUp({ clusterId });
    }
    const { member, partitions } = joined;
    const identity = firstIdentity(this.#deps.random, { clusterId, member, partitions });
    await becomeMember(engine, identity, newMemberState());
    await this.#enter(identity);
    this.member?.hintLeader(address);
  }

  #knownAddresses(): readonly string[] {
    const members = this.member?.topology.state?.members.values() ?? [];
    return [...members]
      .filter(({ number }) => number !== this.member?.number)
      .map(({ number, peerAddress }) => this.member?.book.addressOf(number) ?? peerAddress);
  }
}
