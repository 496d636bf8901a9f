import type { MerkleTree } from '../core/merkle/merkle-tree.ts';
import type { PartitionView } from '../core/quorum/replica-sets.ts';
import type { MemberId } from '../core/raft/types.ts';
import type { Epoch } from '../core/topology/types.ts';
import type { Version } from '../core/version/version.ts';
import type { DataReply, DataRequest, KeyAt, KeyReport, LeafEntry } from '../peer/data-messages.ts';
import type { ReplicaReply, ReplicaRequest } from '../peer/replica-messages.ts';

/** Where a request for a partition goes, by the topology that this member has applied. */
export type Routing = {
  readonly self: MemberId;
  readonly partitions: number;
  /**
   * Undefined until the partitions are placed. Sets are in the order in which to ask: this member, then those that are
   * up, the nearest first, then the others.
   */
  viewOf(partition: number): PartitionView | undefined;
  /** As far as gossip tells. */
  isUp(member: MemberId): boolean;
  /** For people. */
  nameOf(member: MemberId): string;
  /** True once this member has applied `epoch` (of the topology) or a newer one; false at the deadline. */
  waitForEpoch(epoch: Epoch, signal: AbortSignal): Promise<boolean>;
  /** Called in the turn in which the topology, or who is up, has changed; returns how to end that. */
  onChange(listener: () => void): () => void;
};

/** The way to a replica, which may be this member's own: then nothing is encoded. */
export type ReplicaClient = {
  /** Never rejects. An answer that comes after the end is dropped. */
  ask(request: ReplicaRequest, options: ReplicaAskOptions): Promise<ReplicaOutcome>;
};

/** The same way without a promise for each request. */
export type ReplicaAsker = ReplicaClient & {
  /** Calls `onEnd` once, never before it has returned itself. */
  askWith(
    request: ReplicaRequest,
    options: ReplicaAskOptions,
    onEnd: (outcome: ReplicaOutcome) => void,
  ): void;
};

export type ReplicaAskOptions = { readonly timeoutMs: number };

export type ReplicaOutcome =
  | { readonly type: 'reply'; readonly reply: ReplicaReply }
  /** Nothing is known of what the member did. */
  | { readonly type: 'unreachable'; readonly code: 'TIMEOUT' | 'UNREACHABLE' | 'OVERLOADED' | 'STOPPING' };

/** The way to another member for requests about whole partitions. Never rejects. */
export type DataPeers = {
  request(request: DataRequest, options: ReplicaAskOptions): Promise<DataOutcome>;
};

export type DataOutcome =
  | { readonly type: 'reply'; readonly reply: DataReply }
  | { readonly type: 'unreachable'; readonly code: string };

/** This member's share of the data: every road to a record ends here, behind one fence (docs/replication.md). */
export type Replica = {
  /** Calls `call.done` once, perhaps before it returns; never throws. */
  answer(call: ReplicaCall): void;
  /** The answer, where it takes no waiting; undefined, and nothing done, where `answer` must be called. Never throws. */
  serveNow?(request: ReplicaRequest): ReplicaReply | undefined;
  /** What is owned here and may be served: its epoch is durable. */
  owned(partition: number): OwnedPartition | undefined;
  ownedPartitions(): readonly number[];
};

/** A request of a replica under way, and where its answer goes. */
export type ReplicaCall = {
  readonly request: ReplicaRequest;
  /** Until then it may wait for the topology to catch up with the request. */
  readonly signal: AbortSignal;
  /** This member's own coordinator asks: it has judged the clocks of the others itself. */
  readonly isLocal: boolean;
  readonly done: (reply: ReplicaReply) => void;
};

/** One partition of which this member is a replica; the view of anti-entropy. */
export type OwnedPartition = {
  readonly partition: number;
  readonly epoch: Epoch;
  /** Client writes at or below it are refused; never below the watermark. */
  readonly floor: Version;
  readonly watermark: Version;
  /** Over durable records; undefined while it is built from the data. */
  readonly tree: MerkleTree | undefined;
  /** A source of a move that knows of damage: its tree and its lists are without records that it said it holds. */
  readonly lacksRecords: boolean;
  /** Whether a write to a key of that leaf is on its way to the disk. */
  isInFlight(leaf: number): boolean;
  /**
   * Resolves once the floor, and every write accepted at or below it, is durable; from the turn of the call writes at or
   * below it are refused. Throws RangeError for a floor above the clock - `propagationMs` + `skewMsMax`.
   */
  raiseFloor(floor: Version): Promise<void>;
  /** Durable when resolved; the floor rises with it. */
  raiseWatermark(watermark: Version): Promise<void>;
  /** Durable records of the leaves, in the order of the engine. */
  listLeaves(query: LeavesQuery): Promise<{ readonly entries: readonly LeafEntry[]; readonly done: boolean }>;
  /**
   * Removes tombstones of this partition at or below its watermark, and then what expired, of whatever partition, since those
   * share an index; resolves with how many.
   */
  collect(recordsMax: number): Promise<number>;
  /** Whether anything waits for a watermark: a tombstone, or an expired record. */
  hasGarbage(nowMs: number): Promise<boolean>;
  /** The tree does not agree with the data: build it again. */
  rebuildTree(): void;
  report(key: KeyAt): Promise<Omit<KeyReport, 'hints' | 'lastExchange'>>;
};

export type LeavesQuery = {
  readonly leaves: ReadonlySet<number>;
  readonly after: KeyAt | undefined;
  readonly entriesMax: number;
};

/** Keeps writes for owners that did not confirm them. */
export type HintKeeper = {
  /** Never rejects, and may leave a hint out where a limit says so: hints promise nothing. */
  keep(hint: Hint): void;
  /** What is kept for this key. */
  ofKey(
    at: KeyAt & { readonly partition: number },
  ): Promise<readonly { readonly owner: MemberId; readonly version: Version }[]>;
  status(): HintStatus;
};

export type Hint = KeyAt & {
  readonly owner: MemberId;
  readonly partition: number;
  readonly version: Version;
  /** Sealed, as it is stored. */
  readonly record: Uint8Array;
};

export type HintStatus = {
  readonly bytes: number;
  readonly count: number;
  readonly owners: readonly {
    readonly owner: MemberId;
    readonly count: number;
    readonly bytes: number;
    /** Age of the oldest, or a little more. */
    readonly oldestMs: number;
  }[];
};
