import type { PersistedState } from '../core/raft/types.ts';
import type { Announcement } from '../core/topology/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Transport } from '../ports/transport.ts';
import type { RaftStore } from '../storage/raft-store/raft-store.ts';
import type { Identity } from './data-directory.ts';
import type { ProposalOutcomeName } from './leader-calls.ts';
import type { AutomaticMoveOptions } from './move-driver.ts';
import type { VotingOptions } from './voter-keeper.ts';

export type MemberOptions = {
  readonly name: string;
  readonly directoryId: string;
  readonly identity: Identity;
  readonly announcement: Announcement;
  readonly heartbeatMs: number;
  readonly electionTimeoutMs: number;
  readonly snapshotEntries: number;
  readonly entriesKept: number;
  readonly requestTimeoutMs: number;
  readonly voting: VotingOptions;
  /** Members that must be up before the partitions are placed; the replication factor where that is more. */
  readonly initialMembers: number;
  readonly automatic: AutomaticMoveOptions;
  readonly namespacesMax: number;
  readonly gossipPeriodMs: number;
  readonly gossipProbeTimeoutMs: number;
};

export type MemberDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly store: RaftStore;
  readonly persisted: PersistedState;
  readonly events: MemberEvents;
};

export type MemberEvents = {
  /** Term, leader, topology or liveness may have changed. */
  onProgress(): void;
  /** The cluster has seen a later life of this directory: what this one promised is void. */
  onStale(message: string): void;
  onRemoved(message: string): void;
  /** This start is registered. */
  onAnnounced(): void;
  onFailed(error: unknown): void;
  onBackgroundError(error: unknown): void;
  onProposed(outcome: ProposalOutcomeName, seconds: number): void;
};
