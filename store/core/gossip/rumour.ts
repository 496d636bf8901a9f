import type { MemberId } from '../raft/types.ts';
import type { Liveness, Rumour } from './messages.ts';

/** Enough to tell one accuser and all confirmations that shorten a suspicion (Lifeguard section 3.3). */
export const ACCUSERS_MAX = 4;

const RANK: Readonly<Record<Liveness, number>> = { alive: 0, suspect: 1, dead: 2, left: 3 };

/**
 * What decides between two rumours of one member: the higher (incarnation, refutation), at equal ones
 * left > dead > suspect > alive. Negative where `a` yields to `b`, 0 where both claim the same.
 */
export function compareClaims(a: Rumour, b: Rumour): number {
  return a.incarnation - b.incarnation || a.refutation - b.refutation || RANK[a.liveness] - RANK[b.liveness];
}

/**
 * A total order of the rumours of one member, leaving accusers aside. Only the member itself says its address, epoch
 * and load, and raises its refutation with them, so equal claims hardly ever differ in these; they are compared so
 * that all nodes take the same one even then.
 */
export function compareRumours(a: Rumour, b: Rumour): number {
  return compareClaims(a, b) || compareText(a.address, b.address) || a.epoch - b.epoch || a.load - b.load;
}

/**
 * What is known after both were heard: the greater rumour, and where both claim the same suspicion, the accusers of
 * both. A semilattice (commutative, associative, idempotent), so the order in which rumours arrive does not matter.
 * The result is `held` itself where `heard` adds nothing.
 */
export function mergeRumours(held: Rumour, heard: Rumour): Rumour {
  const greater = compareRumours(held, heard) >= 0 ? held : heard;
  if (held.liveness !== 'suspect' || compareClaims(held, heard) !== 0) return greater;
  const accusers = joinAccusers(held.accusers ?? [], heard.accusers ?? []);
  const isKnown = accusers.length === (greater.accusers ?? []).length && accusers.every(isAt(greater));
  return isKnown ? greater : { ...greater, accusers };
}

/** The rumour with another liveness, and without accusers of an older suspicion. */
export function withLiveness({ accusers: _, ...rumour }: Rumour, liveness: Liveness): Rumour {
  return { ...rumour, liveness };
}

function joinAccusers(a: readonly MemberId[], b: readonly MemberId[]): readonly MemberId[] {
  return [...new Set([...a, ...b])].sort((x, y) => x - y).slice(0, ACCUSERS_MAX);
}

const isAt =
  ({ accusers }: Rumour) =>
  (member: MemberId, place: number): boolean =>
    accusers?.[place] === member;

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
