import { canStop } from '../core/moves/can-stop.ts';
import type { MemberId } from '../core/raft/types.ts';
import { liveLeases } from '../core/topology/stop-leases.ts';
import type { MemberReport } from '../peer/data-messages.ts';
import type { Clock } from '../ports/clock.ts';
import { ClusterError, STOP_LEASE_MS, type StopAnswer } from './cluster-admin.ts';
import type { Member } from './member.ts';
import { requireNamed, requireState } from './named.ts';

export type StopQuestionOptions = {
  readonly clock: Clock;
  /** A yes takes no lease. */
  readonly isLookOnly: boolean;
  /** What the members say of their data. Never rejects: what cannot be learned in time is left out. */
  reports(): Promise<ReadonlyMap<MemberId, MemberReport>>;
};

/** Others may be told yes at the same time; each round one of them is. */
const ROUNDS_MAX = 8;

/**
 * Whether the member can be stopped, decided with all leases in view: a yes is a change of the topology that names the leases it knew of, so
 * of two that are decided at the same time the later one is refused, and decided again (docs/operations.md).
 */
export async function askToStop(
  member: Member,
  name: string,
  options: StopQuestionOptions,
  signal: AbortSignal,
): Promise<StopAnswer> {
  const { clock, isLookOnly, reports } = options;
  for (let round = 1; ; round++) {
    await member.readBarrier(signal);
    const state = requireState(member);
    const { number } = requireNamed(state, name);
    const hintsFor = pendingHints(await reports());
    const nowMs = clock.nowMs();
    const verdict = canStop(state, number, { ...member.stopFacts(state), nowMs, hintsFor });
    if (!verdict.canStop || isLookOnly) return verdict;
    const untilMs = nowMs + STOP_LEASE_MS;
    const seen = liveLeases(state, nowMs).map((lease) => lease.member);
    try {
      await member.calls.propose({ type: 'stop-lease', member: number, seen, atMs: nowMs, untilMs }, signal);
      return { ...verdict, untilMs };
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      if (error.code === 'QUORUM_AT_RISK')
        return { canStop: false, reasons: [error.message], partitions: [] };
      if (error.code !== 'STOP_LEASE_TAKEN' || round >= ROUNDS_MAX) throw error;
    }
  }
}

/** Writes that wait at others for a member which was away. */
function pendingHints(reports: ReadonlyMap<MemberId, MemberReport>): (member: MemberId) => number {
  const counts = new Map<MemberId, number>();
  for (const { hints } of reports.values())
    for (const { member, count } of hints) counts.set(member, (counts.get(member) ?? 0) + count);
  return (member) => counts.get(member) ?? 0;
}
