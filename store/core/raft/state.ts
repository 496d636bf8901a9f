import { isVoter } from './configuration.ts';
import type { RaftLog } from './log.ts';
import type { Message, MessageBody, ReadId } from './messages.ts';
import type { RaftOptions } from './options.ts';
import type { Role } from './role.ts';
import type { SnapshotAssembly } from './snapshot-assembly.ts';
import type { LogIndex, MemberId, Term } from './types.ts';

/** The seeded generator that election timeouts are drawn from. */
export type Random = { below(bound: number): number };

/** The end of a read request that this node made. */
export type ReadResult =
  /** The read may be served once `index` is applied. */
  | { readonly type: 'confirmed'; readonly id: ReadId; readonly index: LogIndex }
  /** Nothing was read; the caller may ask again, which is a new request. */
  | { readonly type: 'dropped'; readonly id: ReadId; readonly reason: 'leader-changed' | 'timed-out' };

/** Everything a node knows, owned by one `Raft`; the functions of this folder work on it. */
export type RaftState = {
  readonly options: RaftOptions;
  readonly random: Random;
  readonly log: RaftLog;
  term: Term;
  /** Kept for the whole term, whatever role the node takes (R3). */
  vote: MemberId | undefined;
  role: Role;
  /** Since the leader was last heard, a vote was granted or an election began; stands still on a leader. */
  ticksQuiet: number;
  /** Redrawn at each election, so that split votes do not repeat (paper section 5.2). */
  electionTimeoutTicks: number;
  outbox: Message[];
  readResults: ReadResult[];
  /** Own read requests without an answer, and their age in ticks. */
  readonly readsAsked: Map<number, { readonly id: ReadId; ticks: number }>;
  readSequence: number;
  /** A snapshot that is being received. */
  assembly: SnapshotAssembly | undefined;
};

export function send(raft: RaftState, to: MemberId, body: MessageBody, term: Term = raft.term): void {
  raft.outbox.push({ ...body, from: raft.options.id, to, term });
}

/** The leader of this term as far as the node knows. */
export function leaderOf(raft: RaftState): MemberId | undefined {
  switch (raft.role.type) {
    case 'leader':
      return raft.options.id;
    case 'follower':
      return raft.role.leader;
    case 'pre-candidate':
    case 'candidate':
      return undefined;
  }
}

/**
 * Only a voter may campaign (R12, R22): one of the latest configuration, or of the committed one while the
 * latest is not known to be. A leader that appended its own removal and crashed may be the only one that can
 * win, though its own vote does not count then (thesis 4.2.2).
 */
export function mayCampaign({ log, options }: RaftState): boolean {
  return (
    isVoter(log.current.configuration, options.id) || isVoter(log.configurationAt(log.commit), options.id)
  );
}

/** Follows in `term`. The vote outlives a change of role and falls only with the term (R3). */
export function becomeFollower(raft: RaftState, term: Term, leader: MemberId | undefined): void {
  if (leader === undefined || leader !== leaderOf(raft) || term !== raft.term)
    dropReads(raft, 'leader-changed');
  if (term !== raft.term) raft.vote = undefined;
  raft.term = term;
  raft.role = { type: 'follower', leader };
  raft.assembly = undefined;
  resetElection(raft);
}

export function resetElection(raft: RaftState): void {
  raft.ticksQuiet = 0;
  const { electionTimeoutTicks } = raft.options;
  raft.electionTimeoutTicks = electionTimeoutTicks + raft.random.below(electionTimeoutTicks);
}

/** A read that nobody will answer is told so; that is always safe. */
export function dropReads(raft: RaftState, reason: 'leader-changed' | 'timed-out', ticksMin = 0): void {
  for (const [sequence, { id, ticks }] of raft.readsAsked) {
    if (ticks < ticksMin) continue;
    raft.readsAsked.delete(sequence);
    raft.readResults.push({ type: 'dropped', id, reason });
  }
}
