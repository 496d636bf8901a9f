import type { MemberId } from '../core/raft/types.ts';
import { presentLife } from '../core/topology/succession.ts';
import type { Announcement, Member, Succession } from '../core/topology/types.ts';
import { type Clock, sleep } from '../ports/clock.ts';
import { ClusterError } from './cluster-admin.ts';
import type { LeaderCalls } from './leader-calls.ts';
import type { TopologyReplica } from './topology-replica.ts';

export type AnnouncerOptions = {
  readonly member: MemberId;
  readonly directoryId: string;
  readonly succession: Succession;
  readonly announcement: Announcement;
  readonly intervalMs: number;
};

export type AnnouncerDeps = {
  readonly clock: Clock;
  readonly calls: LeaderCalls;
  readonly topology: TopologyReplica;
  /** The topology knows a later life of this directory, or another directory, under this number. */
  onStale(message: string): void;
  onRemoved(message: string): void;
  onAnnounced(): void;
  /** It failed in a way of its own, and is tried again. */
  onError(error: unknown): void;
};

/** Registers this start of the member, with its addresses, until the topology has it. */
export async function announceStart(
  options: AnnouncerOptions,
  deps: AnnouncerDeps,
  signal: AbortSignal,
): Promise<void> {
  const { member, directoryId, succession, announcement, intervalMs } = options;
  const { clock, calls, topology } = deps;
  while (!signal.aborted) {
    const known = topology.state?.members.get(member);
    if (known !== undefined && isAnnounced(known, options)) return deps.onAnnounced();
    try {
      await calls.propose({ type: 'start', member, directoryId, ...succession, ...announcement }, signal);
    } catch (error) {
      if (!(error instanceof ClusterError)) deps.onError(error);
      else if (error.code === 'MEMBER_STALE') return deps.onStale(error.message);
      else if (error.code === 'MEMBER_NOT_FOUND') return deps.onRemoved(error.message);
    }
    await sleep(clock, intervalMs, signal);
  }
}

function isAnnounced(known: Member, { succession, announcement }: AnnouncerOptions): boolean {
  return (
    known.incarnation === succession.incarnation &&
    known.life === presentLife(succession) &&
    known.state === 'up' &&
    known.peerAddress === announcement.peerAddress &&
    known.httpAddress === announcement.httpAddress &&
    known.respAddress === announcement.respAddress &&
    known.zone === announcement.zone &&
    known.version === announcement.version
  );
}
