import type { MemberId } from '../raft/types.ts';
import type { Epoch } from '../topology/types.ts';
import { compareVersions, type Version } from '../version/version.ts';

/** A round's name: answers count for their own round only, and rounds may overlap. */
export type RoundId = {
  readonly initiator: MemberId;
  readonly incarnation: number;
  readonly number: number;
  /** What was accepted at or below it is sealed. */
  readonly floor: Version;
};

/**
 * A round as its initiator sees it (docs/anti-entropy.md): all N confirm a floor, all differing keys are settled up to it,
 * then all may take it as their watermark. A value: it is fed answers and asked for its verdict.
 */
export type Round = {
  readonly epoch: Epoch;
  readonly id: RoundId;
  readonly members: readonly MemberId[];
  readonly confirmed: ReadonlySet<MemberId>;
  /** By the caller's comparison of all keys, begun after all had confirmed. */
  readonly isSettled: boolean;
  readonly told: ReadonlySet<MemberId>;
  readonly epochSeen: Epoch;
};

/** `member` did what the round's `stage` asks for; its floor, or its watermark, is durably at least the round's. */
export type RoundAnswer = {
  readonly member: MemberId;
  readonly epoch: Epoch;
  readonly round: RoundId;
  readonly stage: 'floor' | 'settled';
  readonly floor: Version;
  readonly watermark: Version;
};

export type RoundVerdict =
  /** These have not confirmed the floor. */
  | { readonly type: 'floor'; readonly members: readonly MemberId[] }
  /** Compare all keys (`judgeKey`), and tell with `comparedAll` once all are settled. */
  | { readonly type: 'compare' }
  /** The watermark may rise; these have not said that theirs did. */
  | { readonly type: 'settle'; readonly members: readonly MemberId[] }
  | { readonly type: 'ended' }
  /** The partition's epoch changed: nothing that was heard proves anything. */
  | { readonly type: 'void' };

export function startRound(epoch: Epoch, id: RoundId, members: readonly MemberId[]): Round {
  const nobody: ReadonlySet<MemberId> = new Set();
  return { epoch, id, members, confirmed: nobody, isSettled: false, told: nobody, epochSeen: epoch };
}

/** The round after `answer`; one of another round, epoch or member changes nothing but the epoch that is known. */
export function hearRound(round: Round, answer: RoundAnswer): Round {
  const known = learnRoundEpoch(round, answer.epoch);
  const isMember = round.members.includes(answer.member);
  if (!isMember || answer.epoch !== round.epoch || !equalRounds(answer.round, round.id)) return known;
  const reached = answer.stage === 'floor' ? answer.floor : answer.watermark;
  if (compareVersions(reached, round.id.floor) < 0) return known;
  if (answer.stage === 'floor') return { ...known, confirmed: new Set(known.confirmed).add(answer.member) };
  return isAllConfirmed(round) ? { ...known, told: new Set(known.told).add(answer.member) } : known;
}

/** The round after every key was found settled. Throws before all confirmed: a late write could still change a key. */
export function comparedAll(round: Round): Round {
  if (!isAllConfirmed(round))
    throw new Error('The keys of a round are compared once all of its members have confirmed its floor.');
  return { ...round, isSettled: true };
}

/** The round after its initiator learned of `epoch` by other ways than an answer. */
export function learnRoundEpoch(round: Round, epoch: Epoch): Round {
  return epoch > round.epochSeen ? { ...round, epochSeen: epoch } : round;
}

export function roundVerdict(round: Round): RoundVerdict {
  if (round.epochSeen !== round.epoch) return { type: 'void' };
  const without = (done: ReadonlySet<MemberId>) => round.members.filter((member) => !done.has(member));
  if (!isAllConfirmed(round)) return { type: 'floor', members: without(round.confirmed) };
  if (!round.isSettled) return { type: 'compare' };
  const members = without(round.told);
  return members.length > 0 ? { type: 'settle', members } : { type: 'ended' };
}

export function equalRounds(a: RoundId, b: RoundId): boolean {
  const isSameNumber =
    a.initiator === b.initiator && a.incarnation === b.incarnation && a.number === b.number;
  return isSameNumber && compareVersions(a.floor, b.floor) === 0;
}

const isAllConfirmed = ({ members, confirmed }: Round): boolean =>
  members.every((member) => confirmed.has(member));
