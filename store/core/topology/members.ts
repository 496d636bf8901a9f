import { isOwner, setsAtStake } from '../moves/rules.ts';
import { majority } from '../quorum/quorum-sizes.ts';
import type { MemberId } from '../raft/types.ts';
import type { ApplyOutcome, CommandOf, TopologyRefusal } from './command.ts';
import { applied, refused, unchanged } from './outcome.ts';
import type { Member, Operation, StopLease, TopologyState } from './types.ts';

export function applyUpdateMember(state: TopologyState, command: CommandOf<'update-member'>): ApplyOutcome {
  const member = state.members.get(command.member);
  if (member === undefined) return refuseUnknown(state, command.member);
  const { weight = member.weight, zone = member.zone } = command;
  if (member.weight === weight && member.zone === zone) return unchanged(state, member.number);
  const announced = member.zoneReplaced ?? member.zone;
  const zoneReplaced = zone === announced ? undefined : announced;
  const members = withMember(state, { ...member, weight, zone, zoneReplaced });
  return applied(state, { members }, member.number);
}

/** The zone of a member that announces itself: one that was set by hand counts until it announces another than it did then. */
export function zoneOf(announced: string, known: Member | undefined): Pick<Member, 'zone' | 'zoneReplaced'> {
  if (known?.zoneReplaced !== announced) return { zone: announced, zoneReplaced: undefined };
  return { zone: known.zone, zoneReplaced: announced };
}

/** Retires a number for ever. Who removed it before is told that it is done; a number never given out is a mistake. */
export function applyRemoveMember(state: TopologyState, command: CommandOf<'remove-member'>): ApplyOutcome {
  const member = state.members.get(command.member);
  if (member === undefined) {
    return wasRemoved(state, command.member)
      ? unchanged(state, command.member)
      : refuseUnknown(state, command.member);
  }
  const problem = removalProblem(state, member);
  if (problem !== undefined) return refused(state, problem.code, problem.message);
  return applied(state, removalOf(state, member.number, undefined), member.number);
}

/** Why it may not be removed. */
export function removalProblem(state: TopologyState, member: Member): TopologyRefusal | undefined {
  const who = `Member ${member.number} (${member.name})`;
  if (isOnlyStarted(state, member)) {
    const reason = 'is the only one that has started: without it the cluster could decide nothing any more.';
    return { code: 'LAST_MEMBER', message: `${who} ${reason} Start another member first.` };
  }
  if (ownsData(state, member.number)) {
    const reason = 'owns partitions: removing it would lose copies of their data.';
    return { code: 'MEMBER_OWNS_DATA', message: `${who} ${reason} Drain it first (kvorum drain).` };
  }
  return undefined;
}

/** What is being done about the member is done with it. */
export function removalOf(
  state: TopologyState,
  number: MemberId,
  endedAtMs: number | undefined,
): Pick<TopologyState, 'members' | 'stopLeases' | 'operations'> {
  const isAboutIt = ({ state: how, want }: Operation): boolean =>
    how === 'running' && 'member' in want && want.member === number;
  const operations = state.operations.map(
    (operation): Operation => (isAboutIt(operation) ? { ...operation, state: 'done', endedAtMs } : operation),
  );
  return { ...withoutMember(state, number), operations };
}

export function refuseUnknown(state: TopologyState, number: MemberId): ApplyOutcome {
  const what = wasRemoved(state, number)
    ? `Member ${number} was removed, and numbers are not reused. To take part again it joins with an empty directory.`
    : `There is no member ${number}; numbers were given up to ${state.nextMember - 1}.`;
  return refused(state, 'MEMBER_NOT_FOUND', what);
}

export function wasRemoved(state: TopologyState, number: MemberId): boolean {
  return (
    Number.isSafeInteger(number) && number >= 1 && number < state.nextMember && !state.members.has(number)
  );
}

/** Whether `number` is in a replica set, or in one that a partition moves to: then copies of data are lost with it. */
export function ownsData(state: TopologyState, number: MemberId): boolean {
  return state.partitions.some((partition) => isOwner(partition, number));
}

/**
 * The partitions of which too few replicas would be left without `number`: of a set at stake, fewer than a majority would still be
 * members. What was acknowledged by those that are gone could then be on none of the others.
 */
export function partitionsLostWithout(state: TopologyState, number: MemberId): readonly number[] {
  const isLeft = (member: MemberId): boolean => member !== number && state.members.has(member);
  return state.partitions.flatMap((partition, index) => {
    const sets = setsAtStake(partition).filter((set) => set.includes(number));
    return sets.every((set) => set.filter(isLeft).length >= majority(set.length)) ? [] : [index];
  });
}

/** Only members that started follow the log and can vote, so one of them must remain. */
export function isOnlyStarted(state: TopologyState, member: Member): boolean {
  if (member.state !== 'up') return false;
  return [...state.members.values()].every(
    (other) => other.number === member.number || other.state === 'waiting',
  );
}

export function withMember(state: TopologyState, member: Member): ReadonlyMap<MemberId, Member> {
  return new Map(state.members).set(member.number, member);
}

/** What goes with a member. */
export function withoutMember(
  { members, stopLeases }: TopologyState,
  number: MemberId,
): Pick<TopologyState, 'members' | 'stopLeases'> {
  return {
    members: new Map([...members].filter(([other]) => other !== number)),
    stopLeases: withoutLease(stopLeases, number),
  };
}

/** The member is back, or is none any more. */
export function withoutLease(stopLeases: readonly StopLease[], member: MemberId): readonly StopLease[] {
  const left = stopLeases.filter((lease) => lease.member !== member);
  return left.length === stopLeases.length ? stopLeases : left;
}

/** For people, also of one that is not known here, or any more. */
export function memberName(state: TopologyState | undefined, member: MemberId): string {
  return state?.members.get(member)?.name ?? `member-${member}`;
}
