import type { Configuration, MemberId } from './types.ts';

/**
 * Changes of membership, as data. A new member starts as a learner and is promoted once it has caught up, so
 * that a change never makes a quorum out of members that have nothing yet (thesis 4.2.1).
 */
export type Change =
  | { readonly type: 'add-learner'; readonly member: MemberId }
  | { readonly type: 'promote'; readonly member: MemberId }
  | { readonly type: 'demote'; readonly member: MemberId }
  | { readonly type: 'remove'; readonly member: MemberId };

export type ChangeResult =
  | { readonly type: 'changed'; readonly configuration: Configuration }
  | { readonly type: 'invalid'; readonly detail: string };

export const NO_CONFIGURATION: Configuration = { voters: [], votersOutgoing: [], learners: [] };

export const isJoint = (configuration: Configuration): boolean => configuration.votersOutgoing.length > 0;

export function isVoter(configuration: Configuration, member: MemberId): boolean {
  return configuration.voters.includes(member) || configuration.votersOutgoing.includes(member);
}

export function isMember(configuration: Configuration, member: MemberId): boolean {
  return isVoter(configuration, member) || configuration.learners.includes(member);
}

/** Everybody who receives the log, in order. */
export function membersOf({ voters, votersOutgoing, learners }: Configuration): MemberId[] {
  return sorted(new Set([...voters, ...votersOutgoing, ...learners]));
}

/** The first configuration of a cluster, from any order. */
export function configurationOf(
  voters: Iterable<MemberId>,
  learners: Iterable<MemberId> = [],
): Configuration {
  return { voters: sorted(voters), votersOutgoing: [], learners: sorted(learners) };
}

/**
 * The configuration to enter for `changes`: directly where at most one voter differs, since any majorities
 * before and after then share a member (thesis 4.1); through joint consensus otherwise.
 */
export function enterChange(current: Configuration, changes: readonly Change[]): ChangeResult {
  if (isJoint(current)) return { type: 'invalid', detail: 'the configuration is joint already' };
  if (changes.length === 0) return { type: 'invalid', detail: 'no change given' };
  const voters = new Set(current.voters);
  const learners = new Set(current.learners);
  const seen = new Set<MemberId>();
  for (const change of changes) {
    const problem = seen.has(change.member) ? 'is named twice' : applyChange(voters, learners, change);
    if (problem !== undefined) return { type: 'invalid', detail: `member ${change.member} ${problem}` };
    seen.add(change.member);
  }
  if (voters.size === 0) return { type: 'invalid', detail: 'no voter would remain' };
  const left = current.voters.filter((voter) => !voters.has(voter)).length;
  const joined = voters.size - (current.voters.length - left);
  const isSimple = left + joined <= 1;
  const next = configurationOf(voters, learners);
  return {
    type: 'changed',
    configuration: isSimple ? next : { ...next, votersOutgoing: current.voters },
  };
}

/** The configuration after a joint one. */
export function leaveJoint(configuration: Configuration): Configuration {
  return { ...configuration, votersOutgoing: [] };
}

/** Applies `change` to the sets; says what is wrong where it cannot. */
function applyChange(voters: Set<MemberId>, learners: Set<MemberId>, change: Change): string | undefined {
  const { member } = change;
  switch (change.type) {
    case 'add-learner':
      if (!Number.isSafeInteger(member) || member < 1) return 'has no valid number';
      if (voters.has(member) || learners.has(member)) return 'is a member already';
      learners.add(member);
      return undefined;
    case 'promote':
      if (!learners.delete(member)) return 'is no learner';
      voters.add(member);
      return undefined;
    case 'demote':
      if (!voters.delete(member)) return 'is no voter';
      learners.add(member);
      return undefined;
    case 'remove':
      return voters.delete(member) || learners.delete(member) ? undefined : 'is no member';
  }
}

function sorted(members: Iterable<MemberId>): MemberId[] {
  return [...members].sort((a, b) => a - b);
}
