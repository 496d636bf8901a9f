import type { HashSeed } from '../../core/key-index/half-sip-hash.ts';
import type { TreeShape } from '../../core/merkle/tree-shape.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { Epoch, Partition } from '../../core/topology/types.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../storage/engine.ts';
import type { MetaStore } from '../../storage/meta-store.ts';
import type { NamespaceStates } from '../../storage/namespaces.ts';
import type { SpaceGuard } from '../../storage/space-guard.ts';
import type { VersionSource } from '../../storage/version-source.ts';

export type ReplicaOptions = {
  readonly self: MemberId;
  readonly partitions: number;
  /** How far ahead of its clock a replica accepts a version; `clock.skewMsMax`. */
  readonly skewMsMax: number;
  /** How far behind the clock a floor lies; `replication.propagationMs`. */
  readonly propagationMs: number;
  readonly versionCacheEntriesMax: number;
  /** Stored records that are kept in memory; `replication.recordCacheBytes`. */
  readonly recordCacheBytes: number;
  /** Bytes of writes on their way to the disk; more are refused as OVERLOADED. */
  readonly writeBacklogBytesMax: number;
  /** Damaged keys; with more the replica takes no part any more. */
  readonly corruptRecordsMax: number;
  readonly treeShape: TreeShape;
  /** Of the table of keys in memory; drawn anew at each start, and known to nobody. */
  readonly hashSeed: HashSeed;
};

export type ReplicaDeps = {
  readonly engine: Engine;
  readonly meta: MetaStore;
  readonly clock: Clock;
  readonly versions: Pick<VersionSource, 'last' | 'observe'>;
  readonly space: Pick<SpaceGuard, 'admit' | 'refresh'>;
  readonly namespaces: NamespaceStates;
  readonly topology: ReplicaTopology;
  /**
   * A record fails its checksum; told once for each key until it is written again. A read of the key at quorum finds what
   * the other replicas hold, and its write-back heals it.
   */
  onCorrupt(partition: number, namespaceId: number, key: Uint8Array): void;
  onError(error: unknown): void;
};

/** The part of the topology that a replica follows. */
export type ReplicaTopology = {
  /** Empty until the partitions are placed. Values are never changed in place. */
  partitions(): readonly Partition[];
  /** True once this member has applied `epoch` (of the topology) or a newer one; false at the deadline. */
  waitForEpoch(epoch: Epoch, signal: AbortSignal): Promise<boolean>;
  /** Called in the turn in which the topology has changed; returns how to end that. */
  onChange(listener: () => void): () => void;
};
