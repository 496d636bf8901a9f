import type { Entry, LogIndex, MemberId, Position, SnapshotMeta, Term } from './types.ts';

/** A read request's identity, never used twice: a retry is a new request. */
export type ReadId = {
  readonly member: MemberId;
  readonly incarnation: number;
  readonly sequence: number;
};

/** What members say to each other. The grammar, message by message, stands in docs/raft.md. */
export type MessageBody =
  /** "Could I win in `term`?" Asked before the term is raised, changes nothing at the receiver (thesis 9.6). */
  | { readonly type: 'pre-vote'; readonly last: Position }
  | { readonly type: 'pre-vote-response'; readonly isGranted: boolean }
  /** `isTransfer`: the leader asked for this election, so followers need not protect it (thesis 3.10). */
  | { readonly type: 'vote'; readonly last: Position; readonly isTransfer: boolean }
  | { readonly type: 'vote-response'; readonly isGranted: boolean }
  | {
      readonly type: 'append';
      readonly previous: Position;
      readonly entries: readonly Entry[];
      readonly commit: LogIndex;
    }
  /** The receiver's log equals the leader's up to `match`, and is on its disk. */
  | { readonly type: 'append-response'; readonly match: LogIndex }
  /** The receiver lacks `rejected`; `hint` is the last place where the logs may agree (paper section 5.3). */
  | { readonly type: 'append-rejection'; readonly rejected: LogIndex; readonly hint: Position }
  /** `round` counts the leader's read rounds in this term. */
  | { readonly type: 'heartbeat'; readonly commit: LogIndex; readonly round: number }
  | { readonly type: 'heartbeat-response'; readonly round: number }
  /** One chunk of a snapshot of `bytesTotal` bytes. */
  | {
      readonly type: 'snapshot';
      readonly meta: SnapshotMeta;
      readonly offset: number;
      readonly bytesTotal: number;
      readonly data: Uint8Array;
    }
  /** `offset`: the first byte still missing. A complete snapshot is answered by `append-response`. */
  | { readonly type: 'snapshot-response'; readonly snapshot: LogIndex; readonly offset: number }
  /** "Campaign now": the last step of a leadership transfer. */
  | { readonly type: 'timeout-now' }
  | { readonly type: 'read-index'; readonly id: ReadId }
  | { readonly type: 'read-index-response'; readonly id: ReadId; readonly index: LogIndex }
  /** Tells a leader of an older term that its term is over. */
  | { readonly type: 'stale-term' };

export type Message = MessageBody & {
  readonly from: MemberId;
  readonly to: MemberId;
  /** The sender's term; in `pre-vote` and its grant the term that is asked for. */
  readonly term: Term;
};

export type MessageOf<Type extends MessageBody['type']> = Extract<Message, { readonly type: Type }>;

/** Only the leader of `term` sends these. */
export function isFromLeader(
  message: Message,
): message is MessageOf<'append' | 'heartbeat' | 'snapshot' | 'timeout-now'> {
  switch (message.type) {
    case 'append':
    case 'heartbeat':
    case 'snapshot':
    case 'timeout-now':
      return true;
    default:
      return false;
  }
}

/**
 * Whether a receiver may take `message` from somebody who is not in its configuration: the configuration that
 * adds a new candidate or leader may not have reached the receiver (thesis 4.1). Answers and read requests come
 * from members only.
 */
export function isTakenFromStrangers(message: Message): boolean {
  return message.type === 'vote' || message.type === 'pre-vote' || isFromLeader(message);
}
