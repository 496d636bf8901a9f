import type { MemberId } from '../raft/types.ts';
import type { Move, MoveAt, MoveIn, Partition } from '../topology/types.ts';
import { chooseSources } from './choose-sources.ts';
import { confirmationsNeeded, enteringOf, sourcesNeeded, unsyncedWith } from './rules.ts';

/** What the leader sees beside the topology. It decides when a step is taken, never whether it is sound: `apply` does that. */
export type MoveFacts = {
  isUp(member: MemberId): boolean;
  /** Lost, as `isReplaced` of the topology says: nobody waits for it any more. */
  isReplaced(member: MemberId): boolean;
  nameOf(member: MemberId): string;
};

/** What the coordinator may do next for one partition, or what it waits for, in words, and for whom. */
export type NextStep =
  | { readonly type: 'advance' | 'switch' | 'done'; readonly at: MoveAt }
  | { readonly type: 'sources'; readonly at: MoveAt; readonly sources: readonly MemberId[] }
  /** T cannot be reached any more: back to F, and plan again without that member. */
  | { readonly type: 'cancel'; readonly at: MoveAt; readonly reason: string }
  | { readonly type: 'wait'; readonly blockedBy: string; readonly members: readonly MemberId[] };

/** From the replicated state alone, so that any leader goes on where another stopped; undefined: the partition does not move. */
export function nextStep(number: number, partition: Partition, facts: MoveFacts): NextStep | undefined {
  const { replicas, epoch, move } = partition;
  if (move === undefined) return undefined;
  const at = { partition: number, session: move.session, epoch };
  switch (move.stage) {
    case 'joint':
      return cancelled(at, move, facts) ?? nextOfJoint(at, replicas, move, facts);
    case 'transfer':
      return cancelled(at, move, facts) ?? nextOfTransfer(at, replicas, move, facts);
    case 'switch':
      return nextOfSwitch(at, replicas, move, facts);
  }
}

/** Each member of T must synchronise, so one that is gone would hold the move up for ever. */
function cancelled(at: MoveAt, { to }: Move, facts: MoveFacts): NextStep | undefined {
  const gone = to.find((member) => facts.isReplaced(member));
  return gone === undefined
    ? undefined
    : { type: 'cancel', at, reason: `${facts.nameOf(gone)}, to which it moves, is gone` };
}

function nextOfJoint(
  at: MoveAt,
  from: readonly MemberId[],
  move: MoveIn<'joint'>,
  facts: MoveFacts,
): NextStep {
  const entering = enteringOf(from, move.to);
  const outside = entering.filter((member) => !move.entered.includes(member));
  if (outside.length > 0) return wait('to enter', outside, facts);
  return waitUntilUp(move.to, facts) ?? { type: 'advance', at };
}

function nextOfTransfer(
  at: MoveAt,
  from: readonly MemberId[],
  move: MoveIn<'transfer'>,
  facts: MoveFacts,
): NextStep {
  const sources = chooseSources(from, move, facts);
  if (sources === undefined) return waitForConfirmations(from, move.confirmed, sourcesNeeded(from), facts);
  if (sources !== move.sources) return { type: 'sources', at, sources };
  const open = [...new Set(sources.flatMap((source) => unsyncedWith(move, source)))];
  if (open.length > 0) {
    const names = sources.map((source) => facts.nameOf(source)).join(' and ');
    return wait(`to synchronise with ${names}`, open, facts);
  }
  return waitUntilUp(move.to, facts) ?? { type: 'switch', at };
}

function nextOfSwitch(
  at: MoveAt,
  from: readonly MemberId[],
  { confirmed }: MoveIn<'switch'>,
  facts: MoveFacts,
): NextStep {
  const needed = confirmationsNeeded(from);
  return confirmed.length >= needed
    ? { type: 'done', at }
    : waitForConfirmations(from, confirmed, needed, facts);
}

/** The next stage needs quorums of T: with a member down that nobody gave up yet, it could cost availability. */
function waitUntilUp(members: readonly MemberId[], facts: MoveFacts): NextStep | undefined {
  const down = members.filter((member) => !facts.isUp(member));
  return down.length === 0 ? undefined : wait('to come back', down, facts);
}

function waitForConfirmations(
  from: readonly MemberId[],
  confirmed: readonly MemberId[],
  needed: number,
  facts: MoveFacts,
): NextStep {
  const missing = from.filter((member) => !confirmed.includes(member));
  // Those that confirmed may be lost since, as sources: then it is they who are waited for.
  const awaited = missing.length > 0 ? missing : confirmed.filter((member) => !facts.isUp(member));
  const live = confirmed.length;
  return wait(`to confirm (${live} of ${needed} have, any of the set may)`, awaited, facts);
}

function wait(what: string, members: readonly MemberId[], facts: MoveFacts): NextStep {
  const names = members.map((member) => `${facts.nameOf(member)}${facts.isUp(member) ? '' : ' (down)'}`);
  return { type: 'wait', blockedBy: `waiting for ${names.join(', ')} ${what}`, members };
}
