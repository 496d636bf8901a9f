import { type Change, isJoint, isMember } from '../raft/configuration.ts';
import type { Configuration, MemberId } from '../raft/types.ts';
import type { Member } from './types.ts';
import { type Candidate, chooseVoters } from './voter-choice.ts';

/**
 * Plans who votes on the topology, as the leader: members that started become learners, some of the caught-up ones
 * voters, and removed ones leave. A pure function of what the leader sees, so a new leader plans on from there.
 *
 * Every plan is one batch for `proposeChange`; the next is asked for when it is done. Learners come first, for they
 * harm nobody; then the voters, in one step; at the very last a leader that was removed takes out itself, alone.
 * Never done: a change to voters of which no majority is alive, or while no majority of today's voters is (it could
 * not commit); a promotion of a member that is down or behind; a smaller set because somebody is down.
 */
export type VoterOptions = {
  readonly votersMax: number;
  /** How long a voter may be down before its vote goes to a learner. */
  readonly replaceAfterMs: number;
};

export type VoterInput = {
  readonly configuration: Configuration;
  /** Of the topology. */
  readonly members: ReadonlyMap<MemberId, Member>;
  /** The leader that plans. */
  readonly self: MemberId;
  /** 0 when it is alive. */
  readonly downForMs: (member: MemberId) => number;
  /** Whether a learner has the log up to what `proposeChange` asks of a promotion. */
  readonly isCaughtUp: (member: MemberId) => boolean;
};

export function planConfiguration(options: VoterOptions, input: VoterInput): readonly Change[] {
  const { configuration } = input;
  if (isJoint(configuration) || !hasLiveMajority(configuration.voters, input)) return [];
  const learners = planLearners(input);
  if (learners.length > 0) return learners;
  const voters = planVoters(options, input);
  return voters.length > 0 ? voters : planOwnRemoval(input);
}

/**
 * The number of voters for `members` that could vote. Odd, since an even number survives no more failures than the
 * odd one below it and waits for one answer more. The exception is two: with one voter of two an acknowledged change
 * would be on a single disk and lost with it. Two members survive no failure in their quorums of data either.
 */
export function voterCount(members: number, votersMax: number): number {
  const most = Math.min(members, votersMax);
  return most <= 2 || most % 2 === 1 ? most : most - 1;
}

function planLearners({ configuration, members, self }: VoterInput): readonly Change[] {
  const missing = [...members.values()]
    .filter(({ number, state }) => state === 'up' && !isMember(configuration, number))
    .map(({ number }): Change => ({ type: 'add-learner', member: number }));
  const retired = configuration.learners
    .filter((learner) => !members.has(learner) && learner !== self)
    .map((member): Change => ({ type: 'remove', member }));
  return [...missing, ...retired];
}

function planVoters(options: VoterOptions, input: VoterInput): readonly Change[] {
  const { configuration, members, self } = input;
  const candidates = findCandidates(options, input);
  const count = voterCount(candidates.length, options.votersMax);
  const chosen = chooseVoters({ count, liveMin: majorityOf(count) }, candidates);
  if (chosen === undefined) return [];
  const promoted = chosen.filter((member) => !configuration.voters.includes(member));
  const dropped = configuration.voters.filter((voter) => voter !== self && !chosen.includes(voter));
  return [
    ...promoted.map((member): Change => ({ type: 'promote', member })),
    ...dropped.map((member): Change => ({ type: members.has(member) ? 'demote' : 'remove', member })),
  ];
}

/** Voters as they are, up or down, and the learners that could take a vote now. */
function findCandidates({ replaceAfterMs }: VoterOptions, input: VoterInput): readonly Candidate[] {
  const { configuration, members, self, isCaughtUp } = input;
  return [...configuration.voters, ...configuration.learners].flatMap((number): Candidate[] => {
    const member = members.get(number);
    const isVoter = configuration.voters.includes(number);
    if (member === undefined) return [];
    if (!isVoter && !(member.state === 'up' && isAlive(input, number) && isCaughtUp(number))) return [];
    const isGone = number !== self && input.downForMs(number) > replaceAfterMs;
    const isAlready = { isVoter, isAlive: isAlive(input, number), isGone };
    return [{ member: number, zone: member.zone, ...isAlready, isPinned: number === self && isVoter }];
  });
}

/** Last and alone: whoever leads afterwards then has nothing to undo, and the others are known to be enough. */
function planOwnRemoval(input: VoterInput): readonly Change[] {
  const { configuration, members, self } = input;
  const others = configuration.voters.filter((voter) => voter !== self);
  if (members.has(self) || others.length === configuration.voters.length) return [];
  if (others.length === 0 || others.some((voter) => !members.has(voter))) return [];
  return hasLiveMajority(others, input) ? [{ type: 'remove', member: self }] : [];
}

function hasLiveMajority(voters: readonly MemberId[], input: VoterInput): boolean {
  return voters.filter((voter) => isAlive(input, voter)).length >= majorityOf(voters.length);
}

/** The planner itself is alive, whatever others say. */
const isAlive = ({ self, downForMs }: VoterInput, member: MemberId): boolean =>
  member === self || downForMs(member) === 0;

const majorityOf = (voters: number): number => Math.floor(voters / 2) + 1;
