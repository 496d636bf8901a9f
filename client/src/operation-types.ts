import type { MoveStage } from './cluster-types.ts';

/** `replace`: of a member that is lost. `factor`: another number of replicas. */
export type OperationType = 'drain' | 'replace' | 'rebalance' | 'factor';

export type OperationState = 'running' | 'done' | 'cancelled';

/**
 * What is asked for; members by name. `by` says who asks, for whoever reads the list; `http` where absent. `force`: also where a
 * member that is up is replaced, replicas would come to share a zone, or a disk seems too small.
 */
export type NewOperation = { readonly by?: string | undefined; readonly force?: boolean | undefined } & (
  | { readonly type: 'drain' | 'replace'; readonly member: string }
  | { readonly type: 'rebalance' }
  /** 1 to 9. */
  | { readonly type: 'factor'; readonly replicationFactor: number }
);

/** `operation` is its id; undefined where nothing was to be done. */
export type OperationChange = { readonly epoch: number; readonly operation: string | undefined };

/** What is being done with the data, or was of late. Times are ISO 8601. */
export type Operation = {
  /** `drain-17`. */
  readonly id: string;
  readonly type: OperationType;
  readonly state: OperationState;
  /** Who asked; `automatic` where the cluster did itself. */
  readonly by: string;
  readonly at: string;
  readonly endedAt?: string;
  /** The name of the member whose data moves away; `member-3` once it is none any more. */
  readonly member?: string;
  /** That is aimed at; of a `factor`. */
  readonly replicationFactor?: number;
  /** That were to move as it began. */
  readonly partitions: number;
  readonly partitionsLeft: number;
  readonly partitionsMoving: number;
  readonly stages: Readonly<Record<MoveStage, number>>;
  /** What most of the partitions wait for, in words. */
  readonly blockedBy?: string;
  readonly bytesMoved?: number;
  readonly bytesLeft?: number;
  readonly bytesPerSecond?: number;
  readonly etaSeconds?: number;
};

export type OperationList = { readonly epoch: number; readonly operations: readonly Operation[] };

export type StopVerdict = {
  readonly canStop: boolean;
  /** Why not, in words. */
  readonly reasons: readonly string[];
  /** Those that would be left without a quorum. */
  readonly partitions: readonly number[];
  /** Until then, in ISO 8601, others hear of this node as stopped. Absent of a no, and of a mere look. */
  readonly until?: string;
};
