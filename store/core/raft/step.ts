import { startPreVote, stepCandidate } from './candidate.ts';
import { isMember } from './configuration.ts';
import { stepFollower } from './follower.ts';
import { stepLeader, tickLeader } from './leader.ts';
import { isFromLeader, isTakenFromStrangers, type Message } from './messages.ts';
import { tickReads } from './read-index.ts';
import { becomeFollower, leaderOf, mayCampaign, type RaftState, send } from './state.ts';
import { answerPreVote, answerVote } from './voter.ts';

export type StepOutcome =
  | { readonly type: 'taken' }
  | { readonly type: 'refused'; readonly reason: 'not-for-me' | 'not-a-member' | 'stale-term' };

const TAKEN: StepOutcome = { type: 'taken' };

/** The rules for every role; what remains goes to the role. */
export function stepMessage(raft: RaftState, message: Message): StepOutcome {
  if (message.to !== raft.options.id || message.from === raft.options.id) {
    return { type: 'refused', reason: 'not-for-me' };
  }
  if (!isTakenFromStrangers(message) && !isMember(raft.log.current.configuration, message.from)) {
    return { type: 'refused', reason: 'not-a-member' };
  }
  switch (message.type) {
    case 'pre-vote':
      answerPreVote(raft, message);
      return TAKEN;
    case 'vote':
      answerVote(raft, message);
      return TAKEN;
    default:
      return stepInTerm(raft, message);
  }
}

/** A newer term makes a follower of everybody, an older one has no say any more (paper section 5.1). */
function stepInTerm(raft: RaftState, message: Message): StepOutcome {
  if (message.term < raft.term) return refuseStale(raft, message);
  // A granted pre-vote names a term that nobody has entered yet.
  const isPromise = message.type === 'pre-vote-response' && message.isGranted;
  if (message.term > raft.term && !isPromise) becomeFollower(raft, message.term, undefined);
  if (isFromLeader(message) && raft.role.type !== 'leader') follow(raft, message);
  stepInRole(raft, message);
  return TAKEN;
}

/** A leader of an older term must hear that it is over, or a member with a newer term is stuck (R11). */
function refuseStale(raft: RaftState, message: Message): StepOutcome {
  if (isFromLeader(message)) send(raft, message.from, { type: 'stale-term' });
  return { type: 'refused', reason: 'stale-term' };
}

/** Hears the leader of this term. */
function follow(raft: RaftState, message: Message): void {
  if (leaderOf(raft) !== message.from) becomeFollower(raft, raft.term, message.from);
  raft.ticksQuiet = 0;
}

function stepInRole(raft: RaftState, message: Message): void {
  switch (raft.role.type) {
    case 'leader':
      stepLeader(raft, raft.role, message);
      return;
    case 'pre-candidate':
    case 'candidate':
      stepCandidate(raft, raft.role, message);
      return;
    case 'follower':
      stepFollower(raft, message);
      return;
  }
}

/** Time passes by one tick. */
export function tickState(raft: RaftState): void {
  tickReads(raft);
  if (raft.role.type === 'leader') {
    tickLeader(raft, raft.role);
    return;
  }
  raft.ticksQuiet++;
  if (raft.ticksQuiet < raft.electionTimeoutTicks) return;
  if (mayCampaign(raft)) startPreVote(raft);
  // Who cannot campaign must not take a leader for there that it no longer hears: it may have been removed.
  else becomeFollower(raft, raft.term, undefined);
}
