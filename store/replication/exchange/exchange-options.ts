import type { MemberId } from '../../core/raft/types.ts';
import type { Version } from '../../core/version/version.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { DataPeers, Replica, ReplicaClient, Routing } from '../types.ts';

export type AntiEntropyOptions = {
  readonly self: MemberId;
  /** Names this start's rounds. */
  readonly incarnation: number;
  /** `antiEntropy.intervalMs` */
  readonly intervalMs: number;
  /** `antiEntropy.roundIntervalMs` */
  readonly roundIntervalMs: number;
  /** `antiEntropy.bytesPerSecond`, to or from one member. */
  readonly bytesPerSecond: number;
  /** `replication.propagationMs` */
  readonly propagationMs: number;
  readonly limits: ExchangeLimits;
};

/** What bounds the memory and the patience of anti-entropy. */
export type ExchangeLimits = {
  /** For one request between members. */
  readonly requestMs: number;
  /** How often a request is sent where nothing comes back. */
  readonly sendsMax: number;
  readonly rootsPerRequestMax: number;
  readonly walkAnswerBytesMax: number;
  /** Entries of one page of keys. */
  readonly leafEntriesMax: number;
  /** Partitions that are walked at the same time, each with another member (CASSANDRA-19336). */
  readonly walksMax: number;
  readonly roundsMax: number;
  /** Records that travel at the same time, of one partition. */
  readonly carriesMax: number;
  /** Bytes of records that travel at the same time, of one partition: fewer records where they are large. */
  readonly carriedBytesMax: number;
  /** What is younger is taken for a write that is on its way, and left to the next comparison. */
  readonly inFlightMs: number;
  /** Between two walks of trees that differ: what differs in both is not just a write on its way. */
  readonly recheckMs: number;
  /** How often a round compares one key before it gives up. */
  readonly keyAttemptsMax: number;
  /** Records that are removed in one go, and the pause after it. */
  readonly collectRecordsMax: number;
  readonly collectPauseMs: number;
  /** Live records below a watermark that one comparison looks into. */
  readonly suspectsMax: number;
  /** Problems that are remembered, so that each is told once. */
  readonly problemsMax: number;
};

export const DEFAULT_EXCHANGE_LIMITS: ExchangeLimits = {
  requestMs: 5000,
  sendsMax: 2,
  rootsPerRequestMax: 1024,
  walkAnswerBytesMax: 8192,
  leafEntriesMax: 512,
  walksMax: 4,
  roundsMax: 4,
  carriesMax: 128,
  carriedBytesMax: 4 * 1024 * 1024,
  inFlightMs: 500,
  recheckMs: 50,
  keyAttemptsMax: 8,
  collectRecordsMax: 1000,
  collectPauseMs: 10,
  suspectsMax: 8,
  problemsMax: 256,
};

export type AntiEntropyDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly routing: Routing;
  readonly replica: ExchangeReplica;
  readonly client: ReplicaClient;
  readonly peers: DataPeers;
  readonly tell: (event: AntiEntropyEvent) => void;
};

export type ExchangeReplica = Pick<Replica, 'owned' | 'ownedPartitions'> & {
  /** The member has lost what it promised: it takes no part until it has rejoined as a replacement. */
  takeOut(reason: string): void;
};

/** For the log. */
export type AntiEntropyEvent =
  | { readonly type: 'tree-rebuilt'; readonly partition: number }
  /** `member`'s floor is below a watermark of its replica set: what it promised is gone. */
  | {
      readonly type: 'promises-lost';
      readonly partition: number;
      readonly member: MemberId;
      readonly floor: Version;
      readonly watermark: Version;
    }
  /** A live record at or below a watermark that another replica lacks, or holds in another version. */
  | {
      readonly type: 'sealed-difference';
      readonly partition: number;
      readonly member: MemberId;
      readonly namespaceId: number;
      readonly key: Uint8Array;
      readonly version: Version;
    }
  | { readonly type: 'failed'; readonly what: string; readonly error: unknown };
