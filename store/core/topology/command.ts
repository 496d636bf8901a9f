import type { MemberId } from '../raft/types.ts';
import type { Announcement, Epoch, Succession, TopologyState } from './types.ts';

/** Every change of the topology. Each is all or nothing, and harmless when it is applied twice. */
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
  | { readonly type: 'update-member'; readonly member: MemberId; readonly weight: number }
  | { readonly type: 'remove-member'; readonly member: MemberId }
  /** The first placement; refused once there is one, and unless the epoch is the expected one. */
  | {
      readonly type: 'place-partitions';
      readonly expectedEpoch: Epoch;
      readonly replicaSets: readonly (readonly MemberId[])[];
    }
  | { readonly type: 'create-namespace'; readonly name: string; readonly createdAtMs: number }
  /** `id`: a namespace of that name which was created since is left alone. */
  | { readonly type: 'drop-namespace'; readonly name: string; readonly id: number };

export type CommandOf<T extends TopologyCommand['type']> = Extract<TopologyCommand, { readonly type: T }>;

/** What a command came to. `unchanged` says that it holds already: the epoch stays. */
export type ApplyOutcome =
  | { readonly type: 'applied'; readonly state: TopologyState; readonly subject: number }
  | { readonly type: 'unchanged'; readonly state: TopologyState; readonly subject: number }
  | { readonly type: 'refused'; readonly state: TopologyState; readonly refusal: TopologyRefusal };
// `subject`: the number of the member, or the id of the namespace, that the command was about; else 0.

/** Why a command was refused; nothing was changed. */
export type TopologyRefusal = { readonly code: TopologyRefusalCode; readonly message: string };

export type TopologyRefusalCode =
  | 'NAME_TAKEN'
  | 'MEMBER_LIMIT'
  | 'MEMBER_NOT_FOUND'
  | 'MEMBER_STALE'
  | 'MEMBER_OWNS_DATA'
  | 'LAST_MEMBER'
  /** Without that voter, too few of those that remain are up. */
  | 'QUORUM_AT_RISK'
  | 'EPOCH_CHANGED'
  | 'ALREADY_PLACED'
  | 'BAD_PLACEMENT'
  | 'NAMESPACE_NOT_FOUND'
  | 'NAMESPACE_PROTECTED'
  | 'NAMESPACE_LIMIT';
