import type { MemberId } from '../../core/raft/types.ts';
import type { TopologyCommand } from '../../core/topology/command.ts';
import type { MoveAt, TopologyState } from '../../core/topology/types.ts';
import type { KeyAt } from '../../peer/data-messages.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Cargo, Carried } from '../exchange/carry.ts';
import type { DataAsker } from '../exchange/data-asker.ts';
import type { Pacer } from '../exchange/pacer.ts';
import type { LocalReplica } from '../replica/replica.ts';
import type { ReplicaClient, Routing } from '../types.ts';
import type { PartitionSizes } from './partition-sizes.ts';

/** What bounds the memory and the patience of a member's part in moves. */
export type MoveLimits = {
  /** For one request between members. */
  readonly requestMs: number;
  /** Partitions that this member fills at the same time, and of others those that it proves. */
  readonly partitionsMax: number;
  /** Of one page of the bulk: the faster it may go, the larger. */
  readonly pageBytesMin: number;
  readonly pageBytesMax: number;
  readonly walkAnswerBytesMax: number;
  readonly leafEntriesMax: number;
  readonly carriesMax: number;
  readonly carriedBytesMax: number;
  /** Before what failed is tried again. */
  readonly retryMs: number;
};

export const DEFAULT_MOVE_LIMITS: MoveLimits = {
  requestMs: 5000,
  partitionsMax: 4,
  pageBytesMin: 256 << 10,
  pageBytesMax: 2 << 20,
  walkAnswerBytesMax: 8192,
  leafEntriesMax: 512,
  carriesMax: 128,
  carriedBytesMax: 4 << 20,
  retryMs: 250,
};

/** A member's own replica, as a move needs it. */
export type MovingReplica = Pick<LocalReplica, 'owned' | 'hasEntered' | 'enter' | 'mayConfirm' | 'storePage'>;

export type MoveOptions = { readonly self: MemberId; readonly limits: MoveLimits };

export type TransferDeps = {
  readonly clock: Clock;
  readonly replica: MovingReplica;
  readonly client: ReplicaClient;
  readonly asker: DataAsker;
  readonly pacerOf: (member: MemberId) => Pacer;
  /** What the first page of a partition counts beside its bytes. */
  readonly stagesBytesOf: (source: MemberId) => number;
  readonly carry: (cargo: Cargo, signal: AbortSignal) => Promise<Carried>;
  /** Records of that partition have come, from another member, and are durable here. */
  onBytes(at: MoveAt, bytes: number): void;
  /** A page said how loaded its source is. */
  onSourceLoad(source: MemberId, p99Ms: number | undefined): void;
  readonly sizes: Pick<PartitionSizes, 'of'>;
  /** In words, why the disk has no room for that partition beside all else that arrives; kept for it until `onArrived`. */
  whyNoRoom(at: MoveAt, bytes: number): string | undefined;
  onArrived(partition: number): void;
};

export type ParticipantDeps = TransferDeps & {
  readonly routing: Routing;
  readonly topology: {
    readonly state: TopologyState | undefined;
    onChange(listener: () => void): () => void;
  };
  /** Resolves once the command was applied here, or rejects: it is looked at again then. */
  propose(command: TopologyCommand): Promise<unknown>;
  tell(event: MoveEvent): void;
};

/** For the log. */
export type MoveEvent =
  | { readonly type: 'moved'; readonly partition: number; readonly bytes: number }
  /** A step that is tried again. */
  | { readonly type: 'delayed'; readonly partition: number; readonly reason: string }
  | { readonly type: 'failed'; readonly what: string; readonly error: unknown };

/** How far the bulk of one arrival is, in this life of the member. */
export type BulkProgress = {
  /** It was emptied in this life: what it holds are pages of the bulk, and what was written since. */
  isFresh: boolean;
  /** The last key that is here; the next page begins behind it, from whichever source. */
  after: KeyAt | undefined;
};

export const newBulkProgress = (): BulkProgress => ({ isFresh: false, after: undefined });

/** What one transfer came to. `bytes`: of records that came from other members. */
export type Transferred =
  | { readonly type: 'transferred'; readonly bytes: number }
  | { readonly type: 'not-yet'; readonly reason: string };

export const notYet = (reason: string): Transferred => ({ type: 'not-yet', reason });
