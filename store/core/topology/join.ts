import type { ApplyOutcome, CommandOf } from './command.ts';
import { LIMITS } from './limits.ts';
import { isOnlyStarted, partitionsLostWithout, withoutMember, zoneOf } from './members.ts';
import { withDrainsOf } from './operations.ts';
import { applied, refused, unchanged } from './outcome.ts';
import { respAddressPart } from './resp-address.ts';
import { someOf } from './some-of.ts';
import type { Member, TopologyState } from './types.ts';

/**
 * Allocates a number, once per data directory: asked again, it answers the same number. A known name with another
 * directory is another member (docs/topology.md): it is taken only with `replaces`, which says that the leader found
 * the old one down, and then the old number is retired in the same change, so that no name is ever held twice.
 */
export function applyJoin(state: TopologyState, command: CommandOf<'join'>): ApplyOutcome {
  const { name, directoryId } = command;
  const members = [...state.members.values()];
  const sameName = members.find((member) => member.name === name);
  if (sameName?.directoryId === directoryId) return unchanged(state, sameName.number);
  const sameDirectory = members.find((member) => member.directoryId === directoryId);
  if (sameDirectory !== undefined) return refuseRenamed(state, command, sameDirectory);
  if (sameName !== undefined) return replace(state, command, sameName);
  if (members.length >= LIMITS.membersMax) {
    const limit = `A cluster has at most ${LIMITS.membersMax} members; it has as many.`;
    return refused(state, 'MEMBER_LIMIT', `${limit} Remove one that is not needed, then join again.`);
  }
  return admit(state, state, command, undefined);
}

/**
 * The old number stays in its replica sets, where it is a dead replica that nobody can be again, until they move; the new member has
 * none of the data, and counts in none of them. Not where too few of the others would remain: then data may be lost for good,
 * and the old directory may be the only one that has it.
 */
function replace(state: TopologyState, command: CommandOf<'join'>, old: Member): ApplyOutcome {
  const was = `The name ${old.name} is held by member ${old.number}, which has another data directory.`;
  if (command.replaces !== old.number) {
    const advice = 'If that one is gone for good, stop it or remove it; else take another node.name.';
    return refused(state, 'NAME_TAKEN', `${was} ${advice}`);
  }
  const lost = partitionsLostWithout(state, old.number);
  if (lost.length > 0) {
    const left = `Without it too few replicas are left of ${lost.length} partitions (${someOf(lost)}): data may be lost`;
    const advice =
      'Start it on its own directory. If others were replaced of late, wait until their partitions have moved.';
    return refused(state, 'MEMBER_OWNS_DATA', `${was} ${left}. ${advice}`);
  }
  if (isOnlyStarted(state, old)) {
    const advice = 'Recover the cluster by hand, or bootstrap a new one.';
    return refused(state, 'LAST_MEMBER', `${was} No other member has started. ${advice}`);
  }
  const without = { ...state, ...withoutMember(state, old.number) };
  const operations = withDrainsOf(state.operations, old.number, state.nextMember);
  return admit(state, { ...without, operations }, command, old);
}

function refuseRenamed(state: TopologyState, command: CommandOf<'join'>, member: Member): ApplyOutcome {
  const was = `The data directory of ${command.name} is that of member ${member.number}, named ${member.name}.`;
  const advice = `Start it as ${member.name}; if it is a copy of that directory, delete the copy.`;
  return refused(state, 'NAME_TAKEN', `${was} ${advice}`);
}

function admit(
  before: TopologyState,
  { members, stopLeases, operations }: TopologyState,
  command: CommandOf<'join'>,
  old: Member | undefined,
): ApplyOutcome {
  const { name, directoryId, weight, peerAddress, httpAddress, version } = command;
  const number = before.nextMember;
  const zone = zoneOf(command.zone, old);
  const announcement = { peerAddress, httpAddress, version, ...respAddressPart(command), ...zone };
  const member: Member = {
    ...{ number, name, directoryId, weight, ...announcement },
    ...{ incarnation: 0, life: '', state: 'waiting' },
    // Who drains a member wants its name to hold nothing: its disk must not be lost just to be filled again.
    isDraining: old?.isDraining ?? false,
  };
  const change = { members: new Map([...members, [number, member]]), nextMember: number + 1 } as const;
  return applied(before, { ...change, stopLeases, operations }, number);
}
