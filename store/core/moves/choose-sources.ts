import type { MemberId } from '../raft/types.ts';
import type { MoveIn } from '../topology/types.ts';
import { sourcesNeeded, unsyncedWith } from './rules.ts';

/**
 * Q: those that are fixed while they can do it, else as few as must be of those that confirmed, or undefined while too few can.
 * A source that is down serves once everybody has synchronised with it. Members of T come first: they need not
 * synchronise with themselves.
 */
export function chooseSources(
  from: readonly MemberId[],
  move: MoveIn<'transfer'>,
  facts: { isUp(member: MemberId): boolean },
): readonly MemberId[] | undefined {
  const isComplete = (member: MemberId): boolean => unsyncedWith(move, member).length === 0;
  const canServe = (member: MemberId): boolean => facts.isUp(member) || isComplete(member);
  if (move.sources.length > 0 && move.sources.every(canServe)) return move.sources;
  const rank = (member: MemberId): number => {
    if (isComplete(member)) return 0;
    if (move.sources.includes(member)) return 1;
    return move.to.includes(member) ? 2 : 3;
  };
  const candidates = move.confirmed.filter(canServe).sort((a, b) => rank(a) - rank(b) || a - b);
  const needed = sourcesNeeded(from);
  return candidates.length < needed ? undefined : candidates.slice(0, needed).sort((a, b) => a - b);
}
