import type { WalkAnswer, WalkAsk, WalkRefusal } from '../core/merkle/walk-messages.ts';
import type { MemberId } from '../core/raft/types.ts';
import type { Epoch } from '../core/topology/types.ts';
import type { Version } from '../core/version/version.ts';

/**
 * What members ask each other about whole partitions: anti-entropy, scans, explanations. They are few beside the requests
 * for keys (`replica-messages.ts`), and travel as peer requests in MessagePack. `to` is the member number that is meant.
 */
export type DataRequest = { readonly to: MemberId } & (
  | RootsRequest
  | WalkRequest
  | LeavesRequest
  | RoundRequest
  | ScanRequest
  | BulkRequest
  | ReportRequest
  | ExplainRequest
  | VerifyRequest
);

/** "What are your roots?", for all partitions that two members share. */
export type RootsRequest = { readonly type: 'roots'; readonly partitions: readonly PartitionAt[] };

export type WalkRequest = PartitionAt & { readonly type: 'walk'; readonly ask: WalkAsk };

/** The keys of some leaves of the partition's tree, with versions, in the order of the engine, a page at a time. */
export type LeavesRequest = PartitionAt & {
  readonly type: 'leaves';
  /** Ascending. */
  readonly leaves: readonly number[];
  /** The last key of the page before. */
  readonly after: KeyAt | undefined;
  readonly entriesMax: number;
};

/** A step of a round (docs/anti-entropy.md). */
export type RoundRequest = PartitionAt & {
  readonly type: 'round';
  readonly stage: 'floor' | 'settled';
  readonly round: RoundId;
};

/** A round's name: answers count for their own round only. */
export type RoundId = {
  readonly initiator: MemberId;
  readonly incarnation: number;
  readonly number: number;
  readonly floor: Version;
};

/** One page of the records of some partitions, tombstones and expired ones included, in the order of the user's keys. */
export type ScanRequest = {
  readonly type: 'scan';
  readonly partitions: readonly (PartitionAt & {
    /** Records come whole; else without their values. */
    readonly isFull: boolean;
  })[];
  readonly namespaceId: number;
  /** start <= key < end. */
  readonly start: Uint8Array | undefined;
  readonly end: Uint8Array | undefined;
  readonly isReverse: boolean;
  readonly entriesMax: number;
  readonly bytesMax: number;
};

/** A page of all records of a partition, in the order of the engine: for a member that comes to it. */
export type BulkRequest = PartitionAt & {
  readonly type: 'bulk';
  /** The last key of the page before. */
  readonly after: KeyAt | undefined;
  readonly bytesMax: number;
};

/** What has come to the member by moves, how large its partitions are, and what it has room for. */
export type ReportRequest = { readonly type: 'report' };

/** What this member knows of a key, for people. */
export type ExplainRequest = PartitionAt & { readonly type: 'explain' } & KeyAt;

/** Compare all partitions of which this member is the first live replica, or all it shares with one member, now. */
export type VerifyRequest = {
  readonly type: 'verify';
  /** Partitions to run a round on; empty: all of which this member is a replica. */
  readonly partitions: readonly number[];
};

export type PartitionAt = { readonly partition: number; readonly epoch: Epoch };
export type KeyAt = { readonly namespaceId: number; readonly key: Uint8Array };

export type DataReply =
  | { readonly type: 'roots'; readonly roots: readonly RootOf[] }
  | { readonly type: 'walk'; readonly answer: WalkAnswer | WalkRefusal }
  | { readonly type: 'leaves'; readonly entries: readonly LeafEntry[]; readonly done: boolean }
  | { readonly type: 'round'; readonly outcome: RoundOutcome }
  | {
      readonly type: 'scan';
      readonly entries: readonly ScannedEntry[];
      /** Every key of the range up to here, in the scan's direction, is among the entries; undefined: all of it is. */
      readonly coveredTo: Uint8Array | undefined;
    }
  | {
      readonly type: 'bulk';
      /** As `bulk-page.ts` packs them. Their checksums are for the receiver to look at. */
      readonly records: Uint8Array;
      /** The last of them; undefined where it is the last page. */
      readonly last: KeyAt | undefined;
      /** Of clients' requests at the giving member in the last second or two: how loaded it is. Undefined: there were few. */
      readonly p99Ms: number | undefined;
    }
  | { readonly type: 'report'; readonly report: MemberReport }
  | ({ readonly type: 'explain' } & KeyReport)
  | { readonly type: 'verify'; readonly report: VerifyReport }
  /** Nothing was done; the codes are those of a replica's refusal. `epoch` is this member's of the partition. */
  | { readonly type: 'data-refused'; readonly code: string; readonly message: string; readonly epoch: Epoch };

/** `building`: the tree is being made from the data; there is nothing to compare yet. */
export type RootOf = PartitionAt & {
  readonly state: 'ready' | 'building' | 'refused';
  /** 8 bytes where it is ready, else none. */
  readonly root: Uint8Array;
  readonly entries: number;
  readonly floor: Version;
  readonly watermark: Version;
};

export type LeafEntry = KeyAt & { readonly version: Version; readonly isTombstone: boolean };

export type RoundOutcome =
  /** Durable here. */
  | { readonly type: 'confirmed'; readonly floor: Version; readonly watermark: Version }
  | { readonly type: 'refused'; readonly reason: string };

export type ScannedEntry = {
  readonly partition: number;
  readonly key: Uint8Array;
  /** All zero where what is stored there is damaged: then nothing else is known of it. */
  readonly version: Version;
  readonly isTombstone: boolean;
  /** Milliseconds since 1970; undefined means never. */
  readonly expiresAtMs: number | undefined;
  /** Where there is one; a `record` says it itself. */
  readonly contentType: string | undefined;
  /** Sealed, as it is stored; where the partition was asked for in full. */
  readonly record: Uint8Array | undefined;
};

/** What one replica, or a member that keeps hints for it, says of a key; `kvorum explain`. */
export type KeyReport = {
  readonly epoch: Epoch;
  readonly version: Version | undefined;
  readonly isTombstone: boolean;
  readonly expiresAtMs: number | undefined;
  readonly bytes: number;
  /** The stored record fails its checksum. */
  readonly isCorrupt: boolean;
  readonly floor: Version;
  readonly watermark: Version;
  /** Hints for this key that the member keeps, and for whom. */
  readonly hints: readonly { readonly owner: MemberId; readonly version: Version }[];
  /** When its partition was last compared with whom, in milliseconds since 1970. */
  readonly lastExchange: readonly { readonly member: MemberId; readonly atMs: number }[];
  readonly treeState: 'ready' | 'building';
};

/** A member's own word on what it holds and what comes to it (`store/core/moves/progress.ts`). */
export type MemberReport = {
  /** Of the last move of each partition to it, since its start. */
  readonly received: readonly {
    readonly partition: number;
    /** The move's. */
    readonly session: number;
    readonly bytes: number;
    /** Over the last ten seconds. */
    readonly bytesPerSecond: number;
  }[];
  /** What it owns and has a tree of. `bytes`: the entries, each as large as the member's records are on average. */
  readonly owned: readonly { readonly partition: number; readonly entries: number; readonly bytes: number }[];
  /** Hints that it keeps, for whom. */
  readonly hints: readonly { readonly member: MemberId; readonly count: number; readonly bytes: number }[];
  /** Of the disk of its data; undefined where it cannot be told. */
  readonly freeBytes: number | undefined;
};

export type VerifyReport = {
  readonly partitions: number;
  /** Partitions whose replicas were all proven equal, up to their round's floor. */
  readonly equal: number;
  readonly keysRepaired: number;
  readonly bytesSent: number;
  /** The partitions whose replicas were not proven equal. */
  readonly unproven: readonly number[];
  /** In words, one line for each of them. */
  readonly problems: readonly string[];
};
