import { becomeLeader } from './leader.ts';
import type { Message } from './messages.ts';
import { voteResult } from './quorum.ts';
import type { Candidate, PreCandidate } from './role.ts';
import { becomeFollower, mayCampaign, type RaftState, resetElection, send } from './state.ts';
import { type HardState, type MemberId, type Term, toTerm } from './types.ts';

/** Asks whether an election could be won, without disturbing anybody (PreVote, thesis 9.6). */
export function startPreVote(raft: RaftState): void {
  if (!mayCampaign(raft)) return;
  raft.role = { type: 'pre-candidate', votes: new Map() };
  resetElection(raft);
  const { last } = raft.log;
  askVoters(raft, (voter) => send(raft, voter, { type: 'pre-vote', last }, nextTerm(raft)));
  countVote(raft, raft.role, raft.options.id, true);
}

/** Raises the term and asks for votes (paper section 5.2). */
export function startElection(raft: RaftState, isTransfer: boolean): void {
  if (!mayCampaign(raft)) return;
  raft.term = nextTerm(raft);
  raft.vote = raft.options.id;
  raft.role = { type: 'candidate', votes: new Map() };
  resetElection(raft);
  const { last } = raft.log;
  askVoters(raft, (voter) => send(raft, voter, { type: 'vote', last, isTransfer }));
}

/** The own vote counts once it is on disk: a sole voter that crashed before could else lead a term twice (R1). */
export function noteOwnVote(raft: RaftState, { term, vote }: HardState): void {
  if (raft.role.type !== 'candidate' || term !== raft.term || vote !== raft.options.id) return;
  countVote(raft, raft.role, vote, true);
}

/** Messages to a pre-candidate or candidate that concern its campaign. */
export function stepCandidate(raft: RaftState, role: PreCandidate | Candidate, message: Message): void {
  switch (message.type) {
    case 'pre-vote-response':
      // A grant names the term asked for, so that one of an earlier campaign does not count.
      if (role.type === 'pre-candidate' && (!message.isGranted || message.term === nextTerm(raft))) {
        countVote(raft, role, message.from, message.isGranted);
      }
      return;
    case 'vote-response':
      if (role.type === 'candidate') countVote(raft, role, message.from, message.isGranted);
      return;
    default:
      return;
  }
}

/** A voter's first answer stands; answers of others do not count (R22). */
function countVote(
  raft: RaftState,
  role: PreCandidate | Candidate,
  from: MemberId,
  isGranted: boolean,
): void {
  if (!role.votes.has(from)) role.votes.set(from, isGranted);
  switch (voteResult(raft.log.current.configuration, role.votes)) {
    case 'won':
      if (role.type === 'pre-candidate') startElection(raft, false);
      else becomeLeader(raft);
      return;
    case 'lost':
      becomeFollower(raft, raft.term, undefined);
      return;
    case 'pending':
      return;
  }
}

function askVoters(raft: RaftState, ask: (voter: MemberId) => void): void {
  const { voters, votersOutgoing } = raft.log.current.configuration;
  for (const voter of new Set([...voters, ...votersOutgoing])) if (voter !== raft.options.id) ask(voter);
}

function nextTerm(raft: RaftState): Term {
  return toTerm(raft.term + 1);
}
