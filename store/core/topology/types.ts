import type { MemberId } from '../raft/types.ts';

/** The version of the topology: raised by one with every change, never otherwise. 0 is before the first. */
export type Epoch = number & { readonly unit: 'Epoch' };

export const toEpoch = (value: number): Epoch => value as Epoch;

/** One life of a node: a start of a data directory. `life` tells apart two starts that claim the same incarnation. */
export type Incarnation = { readonly incarnation: number; readonly life: string };

/**
 * What a directory can show for being the newest one: `lives` are its starts since the last one that it knows to be
 * registered, that one included, oldest first; the last is the present one, of `incarnation`. An older copy of the directory
 * lacks what was registered since, however often it is started.
 */
export type Succession = { readonly incarnation: number; readonly lives: readonly string[] };

/** What a node says of itself when it joins and at every start; addresses are `host:port`. */
export type Announcement = {
  readonly peerAddress: string;
  readonly httpAddress: string;
  /** For clients of Redis; absent where the node serves none. */
  readonly respAddress?: string | undefined;
  /** Failure domain; empty where there is none. */
  readonly zone: string;
  /** The version of the software. */
  readonly version: string;
};

/** `waiting` has a number and has not started under it yet. */
export type MemberState = 'waiting' | 'up';

export type Member = Announcement &
  Incarnation & {
    /** From 1, never reused: a number below `nextMember` that is not among the members was removed. */
    readonly number: MemberId;
    /** A DNS label, unique among the members. */
    readonly name: string;
    /** Drawn when the data directory was made: the same name with another directory is another member. */
    readonly directoryId: string;
    /** Share of the data relative to others. */
    readonly weight: number;
    readonly state: MemberState;
    /** Gives its data away, and is given none, until it is removed or the drain is cancelled. */
    readonly isDraining: boolean;
    /** The zone that it announced as another one was set by hand, which counts for as long as it announces this one. */
    readonly zoneReplaced: string | undefined;
  };

export type Partition = {
  /** The replica set; the first is the primary. While the partition moves it is the set before, F. */
  readonly replicas: readonly MemberId[];
  /**
   * The epoch of the last change of what a request may count on: the replica set, or the stage of a move. What is confirmed
   * of a stage does not raise it: a confirmation is one *of* this epoch, and the next one must still count beside it.
   */
  readonly epoch: Epoch;
  /** Only while the partition moves. */
  readonly move?: Move;
};

/** The epoch at which a move of a partition began: no two moves of it have the same, and a later one has a higher. */
export type MoveSession = number & { readonly unit: 'MoveSession' };

export const toMoveSession = (value: number): MoveSession => value as MoveSession;

/**
 * A change of a partition's replica set from F (`Partition.replicas`) to T (`to`), and what is confirmed of its stage so far
 * (docs/moves.md). Confirmations are facts that stay true: a member gives one when it is durable. Lists of
 * members are sorted, but for `to`, whose first will be the primary.
 */
export type Move = { readonly session: MoveSession; readonly to: readonly MemberId[] } & (
  | {
      readonly stage: 'joint';
      /** Of T\F: who has emptied the partition, taken over floor and watermark, in this session, and has the bulk of the data. */
      readonly entered: readonly MemberId[];
    }
  | {
      readonly stage: 'transfer';
      /** Of F: who serves nothing under an older epoch and has made durable, or refused, what it accepted under one. */
      readonly confirmed: readonly MemberId[];
      /** Q, of those that confirmed; none until they are fixed. */
      readonly sources: readonly MemberId[];
      readonly synced: readonly Synced[];
    }
  | {
      readonly stage: 'switch';
      /** As in `transfer`, of this stage's epoch. */
      readonly confirmed: readonly MemberId[];
    }
);

export type MoveStage = Move['stage'];
export type MoveIn<S extends MoveStage> = Extract<Move, { readonly stage: S }>;

/** A member of T that durably holds, for each key, what these sources held after they confirmed, or newer. */
export type Synced = { readonly member: MemberId; readonly sources: readonly MemberId[] };

/** One move as a command, or its answer, means it: of that session, while the partition is at that epoch. */
export type MoveAt = { readonly partition: number; readonly session: MoveSession; readonly epoch: Epoch };

/** What an operation is for. Members are numbers, also of members that are none any more. */
export type OperationWant =
  /** The member's data moves to the others, and then it is removed. */
  | { readonly type: 'drain'; readonly member: MemberId }
  /** As a drain, of a member that is lost: nobody waits for it any more. Its number may be retired already. */
  | { readonly type: 'replace'; readonly member: MemberId }
  /** Every partition goes where `planPlacement` would have it. */
  | { readonly type: 'rebalance' }
  /** Sets of another size. `previous`: that before, to which a cancel goes back. */
  | { readonly type: 'factor'; readonly replicationFactor: number; readonly previous: number };

export type OperationType = OperationWant['type'];

/**
 * What was asked of the data as a whole, by whom and when (docs/moves.md). How far it has come is not kept: it follows from the
 * partitions.
 */
export type Operation = {
  /** The epoch at which it began: no two have the same, and a later one has a higher. */
  readonly id: Epoch;
  readonly want: OperationWant;
  /** Who asked: as given with the request, or `automatic`. */
  readonly by: string;
  readonly atMs: number;
  /** That were to move as it began, by the count of who asked. */
  readonly partitions: number;
  readonly state: 'running' | 'done' | 'cancelled';
  /** A rebalance that was cancelled: none begins by itself until others may hold data, or have another share of it. */
  readonly holdsBack: boolean;
  /** Only once it has ended, and where that is known. */
  readonly endedAtMs: number | undefined;
};

/** A member that was told that it may stop: until then, or until it has started again, it counts as one that is down. */
export type StopLease = { readonly member: MemberId; readonly untilMs: number };

export type TopologyNamespace = {
  readonly name: string;
  /** From 1, never reused. */
  readonly id: number;
  readonly consistency: 'quorum';
  readonly createdAtMs: number;
};

export type TopologySettings = {
  /** A power of two, 1 to 4096; fixed at bootstrap. */
  readonly partitions: number;
  readonly replicationFactor: number;
};

/** What the topology group keeps (docs/topology.md). Values are never changed in place. */
export type TopologyState = {
  /** 32 hexadecimal digits. */
  readonly clusterId: string;
  readonly epoch: Epoch;
  readonly settings: TopologySettings;
  readonly members: ReadonlyMap<MemberId, Member>;
  readonly nextMember: MemberId;
  /** One per partition, or none until they are placed. */
  readonly partitions: readonly Partition[];
  readonly namespaces: ReadonlyMap<string, TopologyNamespace>;
  readonly nextNamespaceId: number;
  /** By id. Those that run, and the last ones that ended. */
  readonly operations: readonly Operation[];
  /** By member; some may have run out. */
  readonly stopLeases: readonly StopLease[];
};
