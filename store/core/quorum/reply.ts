import type { MemberId } from '../raft/types.ts';
import type { Epoch } from '../topology/types.ts';
import { type PartitionView, writtenMembers } from './replica-sets.ts';

/** What a member said, under which epoch of the partition, to which attempt of the request. */
export type Reply<Body> = {
  readonly member: MemberId;
  readonly epoch: Epoch;
  readonly attempt: number;
  readonly body: Body;
};

/**
 * Why a member gave nothing. `refused` is its own word: it did not apply what it was asked. `unreachable` is the caller's
 * word, with the epoch and attempt of the request: nothing is known of what the member did.
 */
export type Failure = { readonly type: 'refused' | 'unreachable'; readonly code: string };

/** What one member has said, for people: `QUORUM_NOT_MET` says which replicas answered what. */
export type Said = { readonly member: MemberId; readonly said: string };

/** What every decision knows: `epochSeen` is the newest epoch of the partition that anybody told. */
export type Attempt = {
  readonly view: PartitionView;
  readonly attempt: number;
  readonly epochSeen: Epoch;
};

/** Answers of one epoch and one attempt only: an old answer proves nothing about the new sets. */
export function counts(to: Attempt, reply: Reply<unknown>): boolean {
  const { view, attempt } = to;
  const isMember = writtenMembers(view.sets).includes(reply.member);
  return isMember && reply.attempt === attempt && reply.epoch === view.epoch;
}

/** Who learned a newer epoch must start again. */
export function isOutdated(attempt: Attempt): boolean {
  return attempt.epochSeen > attempt.view.epoch;
}

/** The decision after it heard of `epoch`, from whomever. */
export function withEpochSeen<A extends Attempt>(attempt: A, epoch: Epoch): A {
  return epoch > attempt.epochSeen ? { ...attempt, epochSeen: epoch } : attempt;
}

/** What the next attempt begins with; it counts from zero. */
export function nextAttempt(last: Attempt, view: PartitionView): Attempt {
  if (view.epoch < last.epochSeen) {
    throw new RangeError(
      `Attempt ${last.attempt + 1} was begun at partition epoch ${view.epoch}, but epoch ${last.epochSeen} is known: apply it first.`,
    );
  }
  return { view, attempt: last.attempt + 1, epochSeen: view.epoch };
}
