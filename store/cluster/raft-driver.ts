import type { Change } from '../core/raft/configuration.ts';
import type { Message } from '../core/raft/messages.ts';
import type { RaftOptions } from '../core/raft/options.ts';
import type { ChangeOutcome, Refusal } from '../core/raft/proposal.ts';
import { Raft } from '../core/raft/raft.ts';
import type { Ready } from '../core/raft/ready.ts';
import type { RaftStatus } from '../core/raft/status.ts';
import type { TransferOutcome } from '../core/raft/transfer.ts';
import {
  type Entry,
  type HardState,
  type LogIndex,
  type MemberId,
  type PersistedState,
  type Snapshot,
  type Term,
  toIndex,
} from '../core/raft/types.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { RaftStore } from '../storage/raft-store/raft-store.ts';
import { PendingProposals, type ProposalEnd } from './pending-proposals.ts';
import { PendingReads, type ReadEnd } from './pending-reads.ts';

/** What the log is applied to. `apply` is called once per entry, in order; what it returns goes to the proposer. */
export type StateMachine<Outcome> = {
  apply(entry: Entry): Outcome;
  restore(snapshot: Snapshot): void;
  snapshot(): Uint8Array;
};

export type RaftDriverOptions = {
  readonly raft: RaftOptions;
  readonly tickMs: number;
  /** Applied entries after which a snapshot is taken, and entries kept behind it for members that lag. */
  readonly snapshotEntries: number;
  readonly entriesKept: number;
};

export type RaftDriverDeps<Outcome> = {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: RaftStore;
  readonly persisted: PersistedState;
  readonly machine: StateMachine<Outcome>;
  send(message: Message): void;
  /** Role, term, leader or configuration may have changed, or entries were applied. */
  onProgress(): void;
  /** A broken invariant or a failed disk: this member takes no further part. */
  onFailed(error: unknown): void;
};

export type Proposal<Outcome> =
  | { readonly type: 'pending'; readonly end: Promise<ProposalEnd<Outcome>> }
  | ({ readonly type: 'refused' } & Refusal);

/**
 * One member of a Raft group with its disk, its network and its time: does what `Ready` says, in the order that it
 * states (persist, send, apply, advance), one Ready at a time. What arrives while the disk is at work waits in the core.
 */
export class RaftDriver<Outcome> {
  readonly #options: RaftDriverOptions;
  readonly #deps: RaftDriverDeps<Outcome>;
  readonly #raft: Raft;
  readonly #proposals = new PendingProposals<Outcome>();
  readonly #reads = new PendingReads();
  #applied: LogIndex;
  #snapshotIndex: LogIndex;
  #snapshotBytes: number;
  #timer: Timer | undefined;
  #run: Promise<void> | undefined;
  #isStopped = false;
  #hasFailed = false;
  /** The newest state that is not on the disk: it differs from what is there in the commit index only. */
  #unwritten: HardState | undefined;

  constructor(options: RaftDriverOptions, deps: RaftDriverDeps<Outcome>) {
    this.#options = options;
    this.#deps = deps;
    const { random, persisted, machine } = deps;
    const below = (bound: number): number => Math.floor(random.unit() * bound);
    this.#raft = new Raft(options.raft, { random: { below }, persisted });
    machine.restore(persisted.snapshot);
    this.#applied = persisted.snapshot.index;
    this.#snapshotIndex = persisted.snapshot.index;
    this.#snapshotBytes = persisted.snapshot.data.length;
    this.#setTimer(deps.clock.monotonicMs() + options.tickMs);
    this.#pump();
  }

  get isLeader(): boolean {
    return !this.#isStopped && this.#raft.leader === this.#options.raft.id;
  }

  get leader(): MemberId | undefined {
    return this.#raft.leader;
  }

  get term(): Term {
    return this.#raft.term;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  get snapshotBytes(): number {
    return this.#snapshotBytes;
  }

  status(): RaftStatus {
    return this.#raft.status();
  }

  step(message: Message): void {
    if (this.#isStopped) return;
    this.#raft.step(message);
    this.#pump();
  }

  campaign(): void {
    this.#raft.campaign();
    this.#pump();
  }

  propose(data: Uint8Array): Proposal<Outcome> {
    if (this.#isStopped) return { type: 'refused', reason: 'not-leader', leader: undefined };
    const outcome = this.#raft.propose(data);
    if (outcome.type === 'refused') return outcome;
    const end = this.#proposals.add(outcome);
    this.#pump();
    return { type: 'pending', end };
  }

  proposeConfChange(changes: readonly Change[]): ChangeOutcome {
    const outcome = this.#raft.proposeConfChange(changes);
    this.#pump();
    return outcome;
  }

  /** Resolves once everything that was committed before the call is applied here, or says that it could not be known. */
  read(): Promise<ReadEnd> {
    if (this.#isStopped) return Promise.resolve({ type: 'dropped', reason: 'stopped' });
    const asked = this.#raft.readIndex();
    if (asked.type === 'refused') return Promise.resolve(asked);
    const end = this.#reads.add(asked.id);
    this.#pump();
    return end;
  }

  transferLeadership(to: MemberId): TransferOutcome {
    const outcome = this.#raft.transferLeadership(to);
    this.#pump();
    return outcome;
  }

  /** Resolves once there is nothing to do but to wait for others, or for time. */
  async idle(): Promise<void> {
    await this.#run;
  }

  /** Takes no further part; resolves once the disk is no longer used. What is pending ends as unknown. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#proposals.endAll({ type: 'unknown' });
    this.#reads.endAll('stopped');
    await this.#run;
    await this.#writeHint();
  }

  #setTimer(dueMs: number): void {
    const { clock } = this.#deps;
    this.#timer = clock.setTimer(Math.max(0, dueMs - clock.monotonicMs()), () => {
      // After a pause the ticks that were missed are not made up for: others have had no time to be heard.
      this.#setTimer(Math.max(dueMs, clock.monotonicMs() - this.#options.tickMs) + this.#options.tickMs);
      this.#raft.tick();
      this.#pump();
    });
  }

  #pump(): void {
    if (!this.isLeader) this.#proposals.endAll({ type: 'unknown' });
    if (this.#run !== undefined || this.#isStopped) return;
    this.#run = this.#work()
      .catch((error: unknown) => {
        this.#isStopped = true;
        this.#hasFailed = true;
        this.#timer?.cancel();
        this.#proposals.endAll({ type: 'unknown' });
        this.#reads.endAll('stopped');
        this.#deps.onFailed(error);
      })
      .finally(() => {
        this.#run = undefined;
      });
  }

  async #work(): Promise<void> {
    // One turn later, so that what arrives in the same turn shares a Ready and its fsync.
    await Promise.resolve();
    for (let ready = this.#next(); ready !== undefined; ready = this.#next()) {
      this.#send(ready.earlyMessages);
      await this.#persist(ready);
      if (this.#isStopped) return;
      this.#send(ready.messages);
      this.#apply(ready);
      this.#raft.advance();
      this.#deps.onProgress();
      if (this.#applied - this.#snapshotIndex >= this.#options.snapshotEntries) await this.#takeSnapshot();
    }
  }

  #next(): Ready | undefined {
    return this.#isStopped ? undefined : this.#raft.ready();
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) this.#deps.send(message);
  }

  /**
   * A commit index alone is only a hint for the next start: it waits for the next write that must be synced, or the end,
   * instead of keeping what was committed from being applied.
   */
  async #persist({ snapshot, entries, hardState, mustSync }: Ready): Promise<void> {
    this.#unwritten = hardState ?? this.#unwritten;
    if (!mustSync) return;
    await this.#deps.store.persist({ snapshot, entries, hardState: this.#unwritten }, { sync: true });
    this.#unwritten = undefined;
  }

  async #writeHint(): Promise<void> {
    const hardState = this.#unwritten;
    if (hardState === undefined || this.#hasFailed) return;
    this.#unwritten = undefined;
    await this.#deps.store.persist({ snapshot: undefined, entries: [], hardState }, { sync: false });
  }

  #apply({ snapshot, committed, reads }: Ready): void {
    if (snapshot !== undefined) {
      this.#deps.machine.restore(snapshot);
      this.#applied = snapshot.index;
      this.#snapshotIndex = snapshot.index;
      this.#snapshotBytes = snapshot.data.length;
    }
    for (const entry of committed) {
      const outcome = this.#deps.machine.apply(entry);
      this.#applied = entry.index;
      this.#proposals.applied(entry, outcome);
    }
    this.#reads.take(reads);
    this.#reads.applied(this.#applied);
  }

  /**
   * Between two Readies, so that the store is used by one at a time. What the disk says is committed reaches as far as the
   * snapshot that stands on it.
   */
  async #takeSnapshot(): Promise<void> {
    // A newer one of the leader may have arrived while the disk was at work, before this or from here on.
    if (this.#raft.status().snapshot >= this.#applied) return;
    const snapshot = this.#raft.describeSnapshot(this.#applied, this.#deps.machine.snapshot());
    await this.#writeHint();
    const { entriesKept } = this.#options;
    await this.#deps.store.saveSnapshot(snapshot, toIndex(Math.max(1, snapshot.index - entriesKept)));
    this.#raft.compact(snapshot, { entriesKept });
    this.#snapshotIndex = snapshot.index;
    this.#snapshotBytes = snapshot.data.length;
  }
}
