import type { ApplyOutcome, CommandOf } from './command.ts';
import { mayReceive, refuseUnknown, withMember } from './members.ts';
import { applied, refused, unchanged } from './outcome.ts';
import type { Member, TopologyState } from './types.ts';

/**
 * Marks a member whose data is to move to the others; the moves follow from the mark. Refused at once where the others are too few
 * to hold all replicas, for then it could never end.
 */
export function applyDrainStart(state: TopologyState, command: CommandOf<'drain-start'>): ApplyOutcome {
  const member = state.members.get(command.member);
  if (member === undefined) return refuseUnknown(state, command.member);
  if (member.isDraining) return unchanged(state, member.number);
  const { expectedEpoch } = command;
  if (expectedEpoch !== undefined && expectedEpoch !== state.epoch) {
    const changed = `The drain was decided at epoch ${expectedEpoch}, the topology is at ${state.epoch}.`;
    return refused(state, 'EPOCH_CHANGED', `${changed} Read the topology and decide again.`);
  }
  const problem = findTooFew(state, member);
  if (problem !== undefined) return refused(state, 'TOO_FEW_MEMBERS', problem);
  return applied(state, { members: withMember(state, { ...member, isDraining: true }) }, member.number);
}

/** What has moved already stays where it is, until the next rebalance. */
export function applyDrainCancel(state: TopologyState, command: CommandOf<'drain-cancel'>): ApplyOutcome {
  const member = state.members.get(command.member);
  if (member === undefined) return refuseUnknown(state, command.member);
  if (!member.isDraining) return unchanged(state, member.number);
  return applied(state, { members: withMember(state, { ...member, isDraining: false }) }, member.number);
}

function findTooFew(state: TopologyState, member: Member): string | undefined {
  const { replicationFactor } = state.settings;
  const others = [...state.members.values()].filter(
    (other) => other.number !== member.number && mayReceive(other),
  );
  if (others.length >= replicationFactor) return undefined;
  const who = `Member ${member.number} (${member.name})`;
  const left = `${others.length} of the other members have started and do not drain`;
  const advice = 'Start another node, or cancel another drain, first.';
  return `${who} cannot be drained: ${left}, and each partition needs ${replicationFactor}. ${advice}`;
}
