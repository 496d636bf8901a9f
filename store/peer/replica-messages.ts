import type { MemberId } from '../core/raft/types.ts';
import type { Epoch } from '../core/topology/types.ts';
import type { Version } from '../core/version/version.ts';

/**
 * What a member asks a replica of one key (docs/quorum.md), at an epoch. Many of them travel in one frame: everything that is
 * sent to a member in one turn. Their codec is a byte machine of its own (`replica-codec.ts`), not MessagePack.
 */
export type ReplicaRequest = {
  /** The member that it is for: an address may have another owner by now. */
  readonly to: MemberId;
  readonly partition: number;
  /** The asker's epoch of that partition: the fence. */
  readonly epoch: Epoch;
  readonly namespaceId: number;
  readonly key: Uint8Array;
  readonly body: ReplicaRequestBody;
};

export type ReplicaRequestBody =
  /** What a stamp must be above. */
  | { readonly type: 'ask' }
  /** What the replica sees; with the record only where `isFull`. */
  | { readonly type: 'read'; readonly isFull: boolean }
  | {
      readonly type: 'store';
      readonly origin: StoreOrigin;
      /** As it is stored: sealed with its checksum, which covers its place as well; says its version itself. */
      readonly record: Uint8Array;
      /** Of the source when it read the record; nothing for a client's write. */
      readonly sourceWatermark: Version | undefined;
    };

/** Which road a record comes by: a floor refuses `write` and `hint`, a watermark all others as well. */
export type StoreOrigin = 'write' | 'write-back' | 'repair' | 'hint' | 'exchange';

export type ReplicaReply = {
  readonly from: MemberId;
  /** The replica's epoch of the partition, 0 where it knows none. */
  readonly epoch: Epoch;
  readonly body: ReplicaReplyBody;
};

export type ReplicaReplyBody =
  | {
      readonly type: 'versions';
      readonly version: Version | undefined;
      readonly floor: Version;
      readonly watermark: Version;
      /** The last stamp that the replica's clock gave or saw. */
      readonly clock: Version;
      /** Its wall clock, in milliseconds since 1970. */
      readonly nowMs: number;
    }
  | {
      readonly type: 'sight';
      readonly version: Version | undefined;
      readonly watermark: Version;
      readonly isFull: boolean;
      /** Sealed, as it is stored; there where `isFull` and a version is. */
      readonly record: Uint8Array | undefined;
    }
  /** The replica durably holds `version`: the one that was sent, or the newer one that it found. */
  | { readonly type: 'held'; readonly version: Version }
  | { readonly type: 'refused'; readonly code: ReplicaRefusalCode; readonly message: string };

/** Why a replica did nothing. `message` is for people and may be empty. */
export type ReplicaRefusalCode =
  /** The request's epoch is older than the reply's: ask again under that one. */
  | 'STALE_EPOCH'
  /** The request's epoch is newer than this replica knows, and it did not learn of it in time. */
  | 'EPOCH_UNKNOWN'
  /** The member is in neither set of the partition. */
  | 'NOT_OWNER'
  /** The request is for another member number. */
  | 'WRONG_MEMBER'
  /** The version is further ahead of this replica's clock than `clock.skewMsMax`. */
  | 'CLOCK_SKEW'
  /** A client's write or a hint at or below the floor. */
  | 'BELOW_FLOOR'
  /** A repair at or below the watermark. */
  | 'BELOW_WATERMARK'
  | 'NAMESPACE_NOT_FOUND'
  /** What was sent, or what is held here, fails its checksum. */
  | 'RECORD_CORRUPT'
  | 'STORAGE_FULL'
  | 'STORAGE_FAILED'
  | 'OVERLOADED'
  /** Too much of its data is damaged, or it has lost what it promised: it takes no part. */
  | 'REPLICA_OUT'
  | 'STOPPING';
