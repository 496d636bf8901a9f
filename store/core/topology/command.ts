import type { MemberId } from '../raft/types.ts';
import type { Announcement, Epoch, MoveAt, OperationWant, Succession, TopologyState } from './types.ts';

/**
 * Every change of the topology. Each is all or nothing, and harmless when it is applied twice. Those of moves are batches, since
 * 256 moves shall not cost 256 entries a step: there each partition is all or nothing by itself, and those that a batch does
 * not fit (another epoch or session, a stage not reached) are left as they are.
 */
export type TopologyCommand =
  /** Allocates a member number. `replaces`: the member of the same name that the leader found to be down. */
  | ({
      readonly type: 'join';
      readonly name: string;
      readonly directoryId: string;
      readonly weight: number;
      readonly replaces: MemberId | undefined;
    } & Announcement)
  /** A member started: its new incarnation and where it can be reached. */
  | ({
      readonly type: 'start';
      readonly member: MemberId;
      readonly directoryId: string;
    } & Succession &
      Announcement)
  /** What is not given stays as it is. */
  | {
      readonly type: 'update-member';
      readonly member: MemberId;
      readonly weight: number | undefined;
      readonly zone: string | undefined;
    }
  | { readonly type: 'remove-member'; readonly member: MemberId }
  /** `isForced`: also a member that is up is replaced, and sets may come to share a zone that do not now. */
  | {
      readonly type: 'operation-start';
      readonly want: RequestedWant;
      readonly isForced: boolean;
      readonly by: string;
      readonly atMs: number;
      readonly partitions: number;
    }
  | { readonly type: 'operation-cancel'; readonly id: Epoch; readonly atMs: number }
  /** By the leader, once nothing is left to do. A member that was drained or replaced is removed. */
  | { readonly type: 'operation-end'; readonly id: Epoch; readonly atMs: number }
  /** The member is about to stop. `seen`: the leases that whoever decided it knew of; with another one it must be decided again. */
  | {
      readonly type: 'stop-lease';
      readonly member: MemberId;
      readonly seen: readonly MemberId[];
      readonly atMs: number;
      readonly untilMs: number;
    }
  /** The first placement; refused once there is one, and unless the epoch is the expected one. */
  | {
      readonly type: 'place-partitions';
      readonly expectedEpoch: Epoch;
      readonly replicaSets: readonly (readonly MemberId[])[];
    }
  | { readonly type: 'create-namespace'; readonly name: string; readonly createdAtMs: number }
  /** `id`: a namespace of that name which was created since is left alone. */
  | { readonly type: 'drop-namespace'; readonly name: string; readonly id: number }
  | MoveCommand;

/** The steps of moves, in their order (docs/moves.md). `member` is the one whose word it is. */
export type MoveCommand =
  /** `replicationFactor`: how many members each `to` must have, which is the operation's to say. */
  | {
      readonly type: 'move-start';
      readonly replicationFactor: number;
      readonly moves: readonly MoveStart[];
    }
  /** Joint: a member of T\F has entered, and has the bulk of the data. */
  | { readonly type: 'move-enter'; readonly member: MemberId; readonly moves: readonly MoveAt[] }
  /** Joint to transfer. */
  | { readonly type: 'move-advance'; readonly moves: readonly MoveAt[] }
  /** Transfer and switch: a member of F confirms the epoch. */
  | { readonly type: 'move-confirm'; readonly member: MemberId; readonly moves: readonly MoveAt[] }
  /** Transfer: fixes Q, or another one where a source is lost. */
  | { readonly type: 'move-sources'; readonly moves: readonly MoveSources[] }
  /** Transfer: a member of T has synchronised with these sources. */
  | { readonly type: 'move-synced'; readonly member: MemberId; readonly moves: readonly MoveSources[] }
  /** Transfer to switch. */
  | { readonly type: 'move-switch'; readonly moves: readonly MoveAt[] }
  /** The replica set is T. */
  | { readonly type: 'move-done'; readonly moves: readonly MoveAt[] }
  /** Joint or transfer: the replica set stays F. */
  | { readonly type: 'move-cancel'; readonly moves: readonly MoveAt[] };

export type RequestedWant =
  | Exclude<OperationWant, { readonly type: 'factor' }>
  | { readonly type: 'factor'; readonly replicationFactor: number };

export type MoveStart = {
  readonly partition: number;
  readonly epoch: Epoch;
  readonly to: readonly MemberId[];
};
export type MoveSources = MoveAt & { readonly sources: readonly MemberId[] };

export type CommandOf<T extends TopologyCommand['type']> = Extract<TopologyCommand, { readonly type: T }>;

/** What a command came to. `unchanged` says that it holds already: the epoch stays. */
export type ApplyOutcome =
  | { readonly type: 'applied'; readonly state: TopologyState; readonly subject: number }
  | { readonly type: 'unchanged'; readonly state: TopologyState; readonly subject: number }
  | { readonly type: 'refused'; readonly state: TopologyState; readonly refusal: TopologyRefusal };
// `subject`: the number of the member, or the id of the namespace or the operation, that the command was about; how many partitions a
// step of moves has changed; else 0.

/** Why a command was refused; nothing was changed. */
export type TopologyRefusal = { readonly code: TopologyRefusalCode; readonly message: string };

export type TopologyRefusalCode =
  | 'NAME_TAKEN'
  | 'MEMBER_LIMIT'
  | 'MEMBER_NOT_FOUND'
  | 'MEMBER_STALE'
  | 'MEMBER_OWNS_DATA'
  | 'LAST_MEMBER'
  /** A replica set would find too few members to lie on. */
  | 'TOO_FEW_MEMBERS'
  /** Replicas that lie in different zones now would share one. */
  | 'TOO_FEW_ZONES'
  /** Without that voter, too few of those that remain are up. */
  | 'QUORUM_AT_RISK'
  | 'EPOCH_CHANGED'
  | 'ALREADY_PLACED'
  | 'BAD_PLACEMENT'
  | 'PARTITION_MOVING'
  /** A step of a move that no state of it could take: of a member that has no part in it, of a partition twice. */
  | 'BAD_MOVE'
  /** What must be confirmed first is not. */
  | 'MOVE_NOT_READY'
  /** Reads have switched: there is no way back. */
  | 'MOVE_SWITCHED'
  | 'OPERATION_NOT_FOUND'
  /** It is done, or there is no way back from it. */
  | 'OPERATION_NOT_CANCELLABLE'
  /** As of the leader, it is up: it can be drained. */
  | 'MEMBER_ALIVE'
  /** Another member was told meanwhile that it may stop. */
  | 'STOP_LEASE_TAKEN'
  | 'NAMESPACE_NOT_FOUND'
  | 'NAMESPACE_PROTECTED'
  | 'NAMESPACE_LIMIT';
