import type { Configuration, MemberId } from './types.ts';

/** Majorities, and in joint consensus majorities of both halves (thesis 4.3). Without voters nothing is decided. */
export type VoteResult = 'won' | 'lost' | 'pending';

/** The highest value that a quorum has reached, `reachedBy` being what each voter has reached. */
export function quorumValue(configuration: Configuration, reachedBy: (member: MemberId) => number): number {
  const incoming = majorityValue(configuration.voters, reachedBy);
  if (configuration.votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, majorityValue(configuration.votersOutgoing, reachedBy));
}

/** Whether `votes` (by voter, true for yes) decide the election. */
export function voteResult(configuration: Configuration, votes: ReadonlyMap<MemberId, boolean>): VoteResult {
  const incoming = majorityVote(configuration.voters, votes);
  if (configuration.votersOutgoing.length === 0) return incoming;
  const outgoing = majorityVote(configuration.votersOutgoing, votes);
  if (incoming === 'lost' || outgoing === 'lost') return 'lost';
  return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending';
}

/** Whether the members for which `counts` is true form a quorum. */
export function isQuorum(configuration: Configuration, counts: (member: MemberId) => boolean): boolean {
  return quorumValue(configuration, (member) => (counts(member) ? 1 : 0)) === 1;
}

function majorityValue(voters: readonly MemberId[], reachedBy: (member: MemberId) => number): number {
  if (voters.length === 0) return 0;
  const values = voters.map(reachedBy).sort((a, b) => b - a);
  return values[Math.floor(voters.length / 2)] as number;
}

function majorityVote(voters: readonly MemberId[], votes: ReadonlyMap<MemberId, boolean>): VoteResult {
  const needed = Math.floor(voters.length / 2) + 1;
  let granted = 0;
  let refused = 0;
  for (const voter of voters) {
    if (votes.get(voter) === true) granted++;
    if (votes.get(voter) === false) refused++;
  }
  if (granted >= needed) return 'won';
  return refused > voters.length - needed ? 'lost' : 'pending';
}
