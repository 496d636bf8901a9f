import type { MemberId } from '../core/raft/types.ts';
import { type Clock, sleep } from '../ports/clock.ts';
import { ClusterError } from './cluster-admin.ts';
import type { MemberOptions } from './member-options.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { CommandOutcome } from './topology-replica.ts';

export type HandoverDeps = {
  readonly clock: Clock;
  readonly driver: RaftDriver<CommandOutcome | undefined>;
  readonly self: MemberId;
  isAlive(voter: MemberId): boolean;
};

/** Hands leadership to `to`, or to the live voter that is furthest; resolves with the new leader. Throws ClusterError TRANSFER_REFUSED. */
export async function transferLeadership(
  { electionTimeoutMs, heartbeatMs }: MemberOptions,
  deps: HandoverDeps,
  to: MemberId | undefined,
  signal: AbortSignal,
): Promise<MemberId> {
  const { clock, driver } = deps;
  const target = to ?? bestSuccessor(deps);
  if (target === undefined)
    throw new ClusterError('TRANSFER_REFUSED', 'there is no other voter that is alive');
  const outcome = driver.transferLeadership(target);
  if (outcome.type === 'refused' && outcome.reason === 'already-leader') return target;
  if (outcome.type === 'refused')
    throw new ClusterError('TRANSFER_REFUSED', `member ${target} cannot take over: ${outcome.reason}`);
  const endMs = clock.monotonicMs() + 2 * electionTimeoutMs;
  while (driver.leader !== target) {
    if (clock.monotonicMs() >= endMs || signal.aborted)
      throw new ClusterError('TRANSFER_REFUSED', `member ${target} did not take over in time`);
    await sleep(clock, heartbeatMs / 4, signal);
  }
  return target;
}

/** The live voter whose log is furthest. */
export function bestSuccessor({ driver, self, isAlive }: HandoverDeps): MemberId | undefined {
  const { configuration, progress } = driver.status();
  return configuration.voters
    .filter((voter) => voter !== self && isAlive(voter))
    .sort((a, b) => (progress.get(b)?.match ?? 0) - (progress.get(a)?.match ?? 0))[0];
}
