import type { ApplyOutcome, CommandOf } from './command.ts';
import { refuseUnknown } from './members.ts';
import { applied, refused, unchanged } from './outcome.ts';
import type { StopLease, TopologyState } from './types.ts';

/**
 * Notes that a member was told that it may stop, so that the next one who asks hears of it. Whoever decided it must have known of all leases
 * that count: else two that are asked at the same time might both hear yes, and a quorum would be lost.
 */
export function applyStopLease(state: TopologyState, command: CommandOf<'stop-lease'>): ApplyOutcome {
  const { member, seen, atMs, untilMs } = command;
  if (!state.members.has(member)) return refuseUnknown(state, member);
  const others = liveLeases(state, atMs).filter((lease) => lease.member !== member);
  const unseen = others.find((lease) => !seen.includes(lease.member));
  if (unseen !== undefined) {
    const who = state.members.get(unseen.member)?.name ?? `member ${unseen.member}`;
    return refused(state, 'STOP_LEASE_TAKEN', `${who} was told meanwhile that it may stop. Ask again.`);
  }
  const known = state.stopLeases.find((lease) => lease.member === member);
  if (known?.untilMs === untilMs && others.length + 1 === state.stopLeases.length)
    return unchanged(state, member);
  const stopLeases = [...others, { member, untilMs }].sort((a, b) => a.member - b.member);
  return applied(state, { stopLeases }, member);
}

/** Those that count at `atMs`, by the clock of who asks. */
export function liveLeases({ stopLeases }: TopologyState, atMs: number): readonly StopLease[] {
  return stopLeases.filter(({ untilMs }) => untilMs > atMs);
}
