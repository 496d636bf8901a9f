import type { Announcement } from '../core/topology/types.ts';
import type { Hello, HelloRefusal } from '../peer/messages.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Resolver } from '../ports/resolver.ts';
import type { Transport } from '../ports/transport.ts';
import type { Engine } from '../storage/engine.ts';
import type { MetaStore } from '../storage/meta-store.ts';
import type { RaftStore } from '../storage/raft-store/raft-store.ts';
import type { ProposalOutcomeName } from './leader-calls.ts';
import type { MemberOptions } from './member-options.ts';
import type { Phase } from './phase.ts';

export type ClusterNodeOptions = Omit<MemberOptions, 'directoryId' | 'identity' | 'announcement'> & {
  readonly announcement: Omit<Announcement, 'peerAddress'>;
  readonly weight: number;
  /** Make a cluster of an empty directory. */
  readonly bootstrap: boolean;
  /** The only cluster to make or join; empty takes any. */
  readonly clusterId: string;
  readonly replicationFactor: number;
  readonly partitions: number;
  readonly seeds: readonly string[];
  readonly seedIntervalMs: number;
};

export type ClusterNodeDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly resolver: Resolver;
  readonly engine: Engine;
  readonly meta: MetaStore;
  readonly raftStore: RaftStore;
  readonly events: ClusterEvents;
};

/** What a cluster node tells; for the log and the metrics, and to whoever follows the topology. */
export type ClusterEvents = {
  onPhase(phase: Phase): void;
  onProgress(): void;
  onRefused(address: string, by: 'us' | 'them', refusal: HelloRefusal, peer: Hello | undefined): void;
  onNotice(message: string, fields: object): void;
  onProposed(outcome: ProposalOutcomeName, seconds: number): void;
  /** A broken invariant of the consensus: the process should end. */
  onFailed(error: unknown): void;
  onBackgroundError(error: unknown): void;
};
