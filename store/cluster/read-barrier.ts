import { type Clock, sleep } from '../ports/clock.ts';
import { noRead } from './cluster-admin.ts';
import { deadline, until } from './deadline.ts';
import type { MemberOptions } from './member-options.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { CommandOutcome } from './topology-replica.ts';

export type ReadBarrierDeps = {
  readonly clock: Clock;
  readonly driver: RaftDriver<CommandOutcome | undefined>;
};

/** Resolves once everything that was committed before the call is applied here; throws ClusterError NO_LEADER. */
export async function readBarrier(
  { requestTimeoutMs, electionTimeoutMs, heartbeatMs }: MemberOptions,
  { clock, driver }: ReadBarrierDeps,
  signal: AbortSignal,
): Promise<void> {
  const endMs = clock.monotonicMs() + requestTimeoutMs;
  const leaderEndMs = clock.monotonicMs() + 3 * electionTimeoutMs;
  using wait = deadline(clock, requestTimeoutMs, signal);
  for (;;) {
    // What was confirmed is applied when it arrives, which can take for ever where the leader is cut off by then.
    const end = await until(driver.read(), wait.signal);
    if (end === undefined) throw noRead('no answer in time');
    if (end.type === 'confirmed') return;
    const isLeaderless = driver.leader === undefined && clock.monotonicMs() >= leaderEndMs;
    if (isLeaderless || signal.aborted || clock.monotonicMs() >= endMs) throw noRead(end.reason);
    await sleep(clock, heartbeatMs / 2, signal);
  }
}
