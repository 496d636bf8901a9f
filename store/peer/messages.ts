import type { GossipPacket } from '../core/gossip/messages.ts';
import type { Message as RaftMessage } from '../core/raft/messages.ts';
import type { MemberId } from '../core/raft/types.ts';
import type { TopologyCommand, TopologyRefusal } from '../core/topology/command.ts';
import type { Announcement, Epoch, Succession } from '../core/topology/types.ts';
import type { DataReply, DataRequest } from './data-messages.ts';

/** The version of the peer protocol that this program speaks; docs/protocol.md. */
export const PROTOCOL_VERSION = 1;

/** What a node says first on a link. A node that waits for a cluster has no `clusterId`, or no `member` yet. */
export type Hello = {
  /** The versions that the sender understands, both inclusive. */
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly name: string;
  readonly directoryId: string;
  /** Where the sender can be reached. */
  readonly peerAddress: string;
  readonly version: string;
  readonly clusterId: string | undefined;
  readonly member: ({ readonly number: MemberId } & Succession) | undefined;
};

/** Why a link is refused; both sides log it. */
export type HelloRefusal = { readonly code: HelloRefusalCode; readonly message: string };

export type HelloRefusalCode =
  | 'WRONG_PROTOCOL'
  | 'WRONG_CLUSTER'
  | 'REMOVED_MEMBER'
  | 'STALE_MEMBER'
  | 'SELF'
  | 'OVERLOADED'
  | 'BAD_HELLO';

/** Sent and forgotten: may be lost, repeated or reordered. */
export type PeerMessage =
  | { readonly type: 'raft'; readonly message: RaftMessage }
  | { readonly type: 'gossip'; readonly packet: GossipPacket }
  /** Requests for keys, or their replies, as `replica-codec.ts` writes them; nobody changes these bytes afterwards. */
  | { readonly type: 'replica'; readonly batch: Uint8Array };

/** The messages that travel as MessagePack; a batch is the payload of a frame by itself. */
export type PackedMessage = Exclude<PeerMessage, { readonly type: 'replica' }>;

/** Sent, and answered by one reply or by silence. */
export type PeerRequest =
  /** "Which cluster are you of?"; also says where its leader is. Any node answers. */
  | { readonly type: 'who' }
  /** Asks for a member number; only the leader answers it with one. */
  | ({
      readonly type: 'join';
      readonly clusterId: string;
      readonly name: string;
      readonly directoryId: string;
      readonly weight: number;
    } & Announcement)
  /** A command for the leader to propose. */
  | { readonly type: 'propose'; readonly command: TopologyCommand }
  | { readonly type: 'transfer-leadership'; readonly to: MemberId | undefined }
  /** About whole partitions. */
  | { readonly type: 'data'; readonly request: DataRequest };

export type PeerReply =
  | {
      readonly type: 'who';
      readonly clusterId: string | undefined;
      readonly leader: { readonly member: MemberId; readonly address: string } | undefined;
      /** Addresses of the members that are known here. */
      readonly addresses: readonly string[];
      /** What a handshake of the asker would come to now: its link may be older than its removal. */
      readonly refusal: HelloRefusal | undefined;
    }
  | { readonly type: 'joined'; readonly member: MemberId; readonly partitions: number; readonly epoch: Epoch }
  /** The command holds since `epoch`. */
  | { readonly type: 'done'; readonly epoch: Epoch; readonly subject: number }
  | ({ readonly type: 'refused' } & TopologyRefusal)
  | { readonly type: 'transfer-refused'; readonly message: string }
  /** Not tried at all: ask `leader`, or again later. */
  | {
      readonly type: 'not-leader';
      readonly leader: { readonly member: MemberId; readonly address: string } | undefined;
    }
  /** Not tried at all, for a reason that may pass. */
  | { readonly type: 'busy'; readonly message: string }
  /** It may have been done, or may be done yet: the leader lost its place, or time ran out. */
  | { readonly type: 'unknown'; readonly message: string }
  | { readonly type: 'data'; readonly reply: DataReply };

/** What shares a link is sent in this order: consensus and probes before requests before bulk. */
export type Lane = 'urgent' | 'normal' | 'bulk';
