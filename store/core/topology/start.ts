import type { ApplyOutcome, CommandOf } from './command.ts';
import { refuseUnknown, withMember, withoutLease, zoneOf } from './members.ts';
import { applied, refused, unchanged } from './outcome.ts';
import { respAddressPart } from './resp-address.ts';
import { follows, presentLife } from './succession.ts';
import type { Member, TopologyState } from './types.ts';

/**
 * Records a life of a member's directory. Every start notes its life in the directory before it registers it, so a
 * directory that does not know the recorded one is an older copy, or a second one: it may have forgotten what it promised,
 * and is refused (docs/topology.md): no member votes twice.
 */
export function applyStart(state: TopologyState, command: CommandOf<'start'>): ApplyOutcome {
  const member = state.members.get(command.member);
  if (member === undefined) return refuseUnknown(state, command.member);
  const problem = findStaleness(member, command);
  if (problem !== undefined) {
    const advice = 'Start it with an empty directory: it then joins as a replacement.';
    return refused(state, 'MEMBER_STALE', `${problem} ${advice}`);
  }
  const { incarnation, peerAddress, httpAddress, version } = command;
  const life = presentLife(command);
  const announcement = { peerAddress, httpAddress, version, ...zoneOf(command.zone, member) };
  const news = { incarnation, life, ...announcement, ...respAddressPart(command), state: 'up' } as const;
  if (saysNothingNew(member, news) && member.respAddress === command.respAddress)
    return unchanged(state, member.number);
  const stopLeases = withoutLease(state.stopLeases, member.number);
  const { respAddress: _, ...before } = member;
  return applied(state, { members: withMember(state, { ...before, ...news }), stopLeases }, member.number);
}

function findStaleness(member: Member, command: CommandOf<'start'>): string | undefined {
  const who = `Member ${member.number} (${member.name})`;
  if (command.directoryId !== member.directoryId) return `${who} has another data directory.`;
  if (command.incarnation < 1) return `${who} claims incarnation ${command.incarnation}; the first is 1.`;
  if (follows(command, member)) return undefined;
  const seen = `the cluster has seen incarnation ${member.incarnation} of it, in a life that this directory does not know`;
  return `${who} is in incarnation ${command.incarnation}, but ${seen}: its directory is an older copy, or one of two.`;
}

function saysNothingNew(member: Member, news: Partial<Member>): boolean {
  return (Object.keys(news) as (keyof Member)[]).every((key) => member[key] === news[key]);
}
