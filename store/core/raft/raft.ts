import { noteOwnVote, startPreVote } from './candidate.ts';
import { advanceCommit } from './commit.ts';
import type { Change } from './configuration.ts';
import { flushLeader } from './leader.ts';
import { RaftLog } from './log.ts';
import { isFromLeader, type Message } from './messages.ts';
import { checkOptions, type RaftOptions } from './options.ts';
import { type ChangeOutcome, type ProposeOutcome, proposeChange, proposeCommand } from './proposal.ts';
import { askRead, type ReadOutcome } from './read-index.ts';
import { isEmpty, type Ready } from './ready.ts';
import { becomeFollower, leaderOf, type RaftState, type Random } from './state.ts';
import { describeStatus, type RaftStatus } from './status.ts';
import { type StepOutcome, stepMessage, tickState } from './step.ts';
import { startTransfer, type TransferOutcome } from './transfer.ts';
import {
  type HardState,
  invariant,
  type LogIndex,
  type MemberId,
  type PersistedState,
  type Snapshot,
  type Term,
} from './types.ts';

export type RaftDeps = { readonly random: Random; readonly persisted: PersistedState };

/**
 * One member of a Raft group: a deterministic machine without clock, disk or network. The caller feeds it with
 * messages, ticks and requests, and does what `ready` says, in the order that `Ready` states.
 */
export class Raft {
  readonly #state: RaftState;
  #persisted: HardState;
  #snapshotToInstall: Snapshot | undefined;
  #outstanding: Ready | undefined;

  /** Starts as a follower, from what is on disk; throws where that is not a whole log. */
  constructor(options: RaftOptions, { random, persisted }: RaftDeps) {
    checkOptions(options);
    const { term, vote } = persisted.hardState;
    this.#persisted = persisted.hardState;
    this.#state = {
      options,
      random,
      log: new RaftLog(persisted),
      term,
      vote,
      role: { type: 'follower', leader: undefined },
      ticksQuiet: 0,
      electionTimeoutTicks: 0,
      outbox: [],
      readResults: [],
      readsAsked: new Map(),
      readSequence: 0,
      assembly: undefined,
    };
    becomeFollower(this.#state, term, undefined);
  }

  /** Takes a message from another member. The sender's identity is the transport's to prove. */
  step(message: Message): StepOutcome {
    const before = this.#state.log.snapshot;
    const outcome = stepMessage(this.#state, message);
    if (this.#state.log.snapshot !== before) this.#snapshotToInstall = this.#state.log.snapshot;
    return outcome;
  }

  /** Time passes by one tick. */
  tick(): void {
    tickState(this.#state);
  }

  /** Asks for an election now, e.g. right after the bootstrap of a one-member cluster. */
  campaign(): void {
    if (this.#state.role.type !== 'leader') startPreVote(this.#state);
  }

  propose(data: Uint8Array): ProposeOutcome {
    return proposeCommand(this.#state, data);
  }

  /** Changes the membership, all of `changes` or none; through joint consensus where several voters differ. */
  proposeConfChange(changes: readonly Change[]): ChangeOutcome {
    return proposeChange(this.#state, changes);
  }

  /** Asks up to where to apply before serving a linearizable read; the answer is in a later Ready's `reads`. */
  readIndex(): ReadOutcome {
    return askRead(this.#state);
  }

  transferLeadership(to: MemberId): TransferOutcome {
    const { role } = this.#state;
    if (role.type !== 'leader') return { type: 'refused', reason: 'not-leader' };
    return startTransfer(this.#state, role, to);
  }

  /** The next work, or undefined where there is none. `advance` must follow before the next call. */
  ready(): Ready | undefined {
    invariant(this.#outstanding === undefined, 'ready() before advance()');
    const { role } = this.#state;
    if (role.type === 'leader') flushLeader(this.#state, role);
    const ready = this.#collect();
    if (isEmpty(ready)) return undefined;
    this.#state.outbox = [];
    this.#state.readResults = [];
    this.#snapshotToInstall = undefined;
    this.#outstanding = ready;
    return ready;
  }

  /** The work of the last Ready is done: persisted, sent and applied. */
  advance(): void {
    const ready = this.#outstanding;
    invariant(ready !== undefined, 'advance() without ready()');
    this.#outstanding = undefined;
    const { log } = this.#state;
    const lastEntry = ready.entries.at(-1);
    if (lastEntry !== undefined) log.stableTo(lastEntry);
    const lastApplied = ready.committed.at(-1);
    if (lastApplied !== undefined) log.appliedTo(lastApplied.index);
    if (ready.hardState !== undefined) {
      this.#persisted = ready.hardState;
      noteOwnVote(this.#state, ready.hardState);
    }
    // What a quorum lacked may have been this disk.
    const { role } = this.#state;
    if (role.type === 'leader') advanceCommit(this.#state, role);
  }

  /**
   * The snapshot that stands for the state machine as of `index`, which is applied. To be made durable by the
   * caller, and then given to `compact`.
   */
  describeSnapshot(index: LogIndex, data: Uint8Array): Snapshot {
    invariant(data.length <= this.#state.options.snapshotBytesMax, `a snapshot of ${data.length} bytes`);
    return this.#state.log.describe(index, data);
  }

  /**
   * `snapshot` is durable: drops the log below it but for the last `entriesKept`, which spare members that lag
   * a snapshot. A snapshot older than the present one changes nothing.
   */
  compact(snapshot: Snapshot, options: { readonly entriesKept: number }): void {
    this.#state.log.compact(snapshot, options.entriesKept);
  }

  /** The leader of the term, as far as this member knows. */
  get leader(): MemberId | undefined {
    return leaderOf(this.#state);
  }

  get term(): Term {
    return this.#state.term;
  }

  status(): RaftStatus {
    return describeStatus(this.#state);
  }

  #collect(): Ready {
    const { log, term, vote, outbox, options, readResults } = this.#state;
    const isTermDurable = this.#persisted.term === term && this.#persisted.vote === vote;
    const isCommitDurable = this.#persisted.commit === log.commit;
    const entries = log.unstable();
    return {
      earlyMessages: outbox.filter(isFromLeader),
      snapshot: this.#snapshotToInstall,
      entries,
      hardState: isTermDurable && isCommitDurable ? undefined : { term, vote, commit: log.commit },
      mustSync: !isTermDurable || entries.length > 0 || this.#snapshotToInstall !== undefined,
      messages: outbox.filter((message) => !isFromLeader(message)),
      committed: log.unapplied(options.applyBytesMax),
      reads: readResults,
    };
  }
}
