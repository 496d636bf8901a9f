import type { MessageOf } from './messages.ts';
import { becomeFollower, leaderOf, type RaftState, resetElection, send } from './state.ts';

/**
 * How a node answers requests for its vote. It asks neither whether the candidate is in its configuration nor
 * whether itself is a voter: it may lack the entry that says so, and without its vote there may be no leader
 * (thesis 4.1, R13). The candidate counts only voters of its own configuration.
 */

/** A pre-vote promises nothing and changes nothing here. */
export function answerPreVote(raft: RaftState, { from, term, last }: MessageOf<'pre-vote'>): void {
  if (isLeaderProtected(raft)) return;
  const isGranted = term > raft.term && raft.log.isCoveredBy(last);
  // A refusal carries the own term, so that a candidate that lags behind learns it (R11).
  send(raft, from, { type: 'pre-vote-response', isGranted }, isGranted ? term : raft.term);
}

/** RequestVote (paper section 5.2, 5.4.1). The vote leaves with the Ready that persists it. */
export function answerVote(raft: RaftState, { from, term, last, isTransfer }: MessageOf<'vote'>): void {
  if (term > raft.term) {
    if (isLeaderProtected(raft) && !isTransfer) return;
    becomeFollower(raft, term, undefined);
  }
  const isFree = raft.vote === from || (raft.vote === undefined && leaderOf(raft) === undefined);
  const isGranted = term === raft.term && isFree && raft.log.isCoveredBy(last);
  if (isGranted) {
    raft.vote = from;
    resetElection(raft);
  }
  send(raft, from, { type: 'vote-response', isGranted });
}

/**
 * Whether a live leader was heard within the shortest election timeout: a candidate is then ignored, or a
 * removed or cut-off member could depose a working leader again and again (thesis 4.2.3, R12). A leader hears
 * itself all the time, until its quorum check fails.
 */
function isLeaderProtected(raft: RaftState): boolean {
  return leaderOf(raft) !== undefined && raft.ticksQuiet < raft.options.electionTimeoutTicks;
}
