import type { MemberId } from '../core/raft/types.ts';
import type { Balance } from '../core/ring/describe-balance.ts';
import type { Epoch, MoveStage } from '../core/topology/types.ts';
import type { Version } from '../core/version/version.ts';
import type { KeyReport, VerifyReport } from '../peer/data-messages.ts';
import type { LiveRecord, ScanQuery } from '../storage/kv-store.ts';
import type { ReplicaLinkCounters } from './links/counters.ts';
import type { HintStatus } from './types.ts';

/**
 * Replicated data as the interfaces of a node see it beside KvStore: where it is, whether it is safe, what repairs it.
 * While nothing is placed, all but `status` throw ClusterError CLUSTER_FORMING.
 */
export type DataAdmin = {
  /** Who owns what, by the topology that this node has applied. */
  ring(): RingView;
  /** Where `key` is; asks nobody. */
  locate(key: Uint8Array): KeyPlace;
  /** Asks every replica of the key what it holds. Throws KvError NAMESPACE_NOT_FOUND. */
  explain(namespace: string, key: Uint8Array, signal: AbortSignal): Promise<KeyExplanation>;
  /**
   * A full round now, on all partitions or on those of one member. `onProgress` is called with each partition that is done.
   * Throws ClusterError MEMBER_NOT_FOUND.
   */
  verify(
    request: VerifyScope,
    onProgress: (progress: VerifyProgress) => void,
    signal: AbortSignal,
  ): Promise<VerifyOutcome>;
  /** A page of what this node itself holds, whatever the others have, in key order. Throws KvError NAMESPACE_NOT_FOUND. */
  scanLocal(namespace: string, query: LocalScanQuery): Promise<LocalScanPage>;
  /** What this node knows now, without asking anybody. */
  status(): DataStatus;
};

export type RingView = {
  /** Of the topology. */
  readonly epoch: Epoch;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** By number. */
  readonly members: readonly RingMember[];
  /** One per partition; the first replica is the primary. */
  readonly sets: readonly RingSet[];
  /** Of `describeBalance`. */
  readonly balance: Balance;
};

export type RingSet = MovingTo & { readonly replicas: readonly MemberId[]; readonly epoch: Epoch };

/** Absent where the partition does not move. */
export type MovingTo = {
  /** The set that it moves to, the coming primary first. */
  readonly movingTo?: readonly MemberId[];
  readonly stage?: MoveStage;
};

export type RingMember = {
  readonly number: MemberId;
  readonly name: string;
  /** `host:port`. */
  readonly httpAddress: string;
  /** For clients of Redis; undefined where it serves none. */
  readonly respAddress?: string | undefined;
  /** Empty where there is none. */
  readonly zone: string;
  /** As far as gossip tells. */
  readonly isUp: boolean;
  readonly weight: number;
};

export type KeyPlace = MovingTo & {
  /** 0..16383. */
  readonly slot: number;
  readonly partition: number;
  /** Of the partition. */
  readonly epoch: Epoch;
  /** The primary first. */
  readonly replicas: readonly PlacedReplica[];
};

export type PlacedReplica = {
  readonly member: MemberId;
  readonly name: string;
  readonly isUp: boolean;
  readonly isPrimary: boolean;
  readonly httpAddress: string;
};

export type KeyExplanation = {
  readonly slot: number;
  readonly partition: number;
  /** Of the partition. */
  readonly epoch: Epoch;
  readonly safety: KeySafety;
  /** In words, the answer to "is it safe?"; `explainVerdict` finds both. */
  readonly verdict: string;
  readonly replicas: readonly ExplainedReplica[];
  /** Writes of this key that members keep for others. */
  readonly hints: readonly ExplainedHint[];
};

/**
 * `safe`: every replica holds the newest version. `degraded`: a quorum does. `at-risk`: less than a quorum is known to.
 * `absent`: a quorum says that there is nothing. `unknown`: too few answer to tell.
 */
export type KeySafety = 'safe' | 'degraded' | 'at-risk' | 'absent' | 'unknown';

export type ExplainedReplica = {
  readonly member: MemberId;
  readonly name: string;
  /** As far as gossip tells. */
  readonly isUp: boolean;
  /** Whether it answered now. */
  readonly isReachable: boolean;
  readonly report: KeyReport | undefined;
  /** Why there is no report. */
  readonly error: string | undefined;
};

/** `keeper` and `owner` are names. */
export type ExplainedHint = { readonly keeper: string; readonly owner: string; readonly version: Version };

export type VerifyScope = {
  /** The name of a member: its partitions only. */
  readonly node?: string | undefined;
};

/** Partitions. */
export type VerifyProgress = { readonly done: number; readonly total: number };

export type VerifyOutcome = VerifyReport & {
  /** What each member compared, by number. */
  readonly members: readonly VerifiedMember[];
};

export type VerifiedMember = {
  readonly member: MemberId;
  readonly name: string;
  /** Of which it is a replica, among those that were verified, and those of them that are equal everywhere. */
  readonly partitions: number;
  readonly equal: number;
  /** Why it could not take part. */
  readonly error: string | undefined;
};

export type LocalScanQuery = ScanQuery & { readonly withTombstones: boolean };

export type LocalEntry = {
  readonly key: Uint8Array;
  readonly partition: number;
  /** The value is empty in a tombstone. */
  readonly record: LiveRecord;
  readonly isTombstone: boolean;
  /** By this node's clock; only with tombstones. */
  readonly isExpired: boolean;
};

/** As a ScanPage. */
export type LocalScanPage = {
  readonly entries: readonly LocalEntry[];
  readonly resumeAfter: Uint8Array | undefined;
};

export type DataStatus = {
  readonly replica: {
    /** `out`: too much of its data is damaged, or it has lost what it promised: it takes no part. */
    readonly state: 'ok' | 'out';
    /** In words, where it is out. */
    readonly reason: string | undefined;
  };
  readonly hints: HintStatus;
  readonly exchange: ExchangeStatus;
  /** Partitions of which this node is a replica, by whether their tree can be compared. */
  readonly trees: { readonly ready: number; readonly building: number };
  /** Requests for keys to and from replicas on other members. */
  readonly links: Readonly<ReplicaLinkCounters>;
};

export type ExchangeStatus = {
  /** When roots were last compared, in milliseconds since 1970. */
  readonly lastRoundMs: number | undefined;
  /** Partitions of which this node is a replica, and those of them that were equal everywhere when last compared. */
  readonly partitions: number;
  readonly partitionsEqual: number;
  /** Since the start of the node. */
  readonly keysRepaired: number;
  readonly bytesSent: number;
};
