import type { Roster } from './roster.ts';
import type { ZoneSpread } from './zone-spread.ts';

/**
 * The ideal load, in replicas, of each member: proportional to its weight as far as the hard rules allow. A member
 * holds a partition at most once, so it is capped at `partitions`; a zone is held between `partitions` times the
 * bounds of the spread. What a bound takes or leaves is shared among the others by weight: there is one level L
 * so that a member's ideal is min(partitions, L x weight), with another L inside each zone that is at a bound.
 */
export function idealLoads(
  roster: Roster,
  spread: ZoneSpread,
  size: { readonly partitions: number; readonly replicas: number },
): number[] {
  const ideal = roster.ids.map(() => 0);
  let free = roster.zones.map((_, zone) => zone);
  let left = size.partitions * size.replicas;
  while (free.length > 0) {
    fill(ideal, roster, { zones: free, replicas: left, cap: size.partitions });
    const bound = zonesOutOfBounds(ideal, roster, { free, spread, partitions: size.partitions });
    if (bound.length === 0) break;
    for (const { zone, replicas } of bound) {
      fill(ideal, roster, { zones: [zone], replicas, cap: size.partitions });
      left -= replicas;
    }
    free = free.filter((zone) => bound.every((at) => at.zone !== zone));
  }
  return ideal;
}

/** Shares `replicas` among the members of `zones` by weight, none above `cap`: the heaviest reach it first. */
function fill(
  ideal: number[],
  roster: Roster,
  share: { readonly zones: readonly number[]; readonly replicas: number; readonly cap: number },
): void {
  const { weights, zoneOf } = roster;
  const members = [...ideal.keys()].filter((member) => share.zones.includes(zoneOf[member]!));
  members.sort((a, b) => weights[b]! - weights[a]!);
  let weight = members.reduce((total, member) => total + weights[member]!, 0);
  let { replicas } = share;
  for (const member of members) {
    // Products stay below 2^53, so the quotient is the nearest double: a whole ideal comes out whole, and the ideal of a
    // member is exactly that of every other with its weight, unless `cap` parted them, which it cannot.
    ideal[member] = Math.min(share.cap, (replicas * weights[member]!) / weight);
    if (ideal[member] < share.cap) continue;
    replicas -= share.cap;
    weight -= weights[member]!;
  }
}

/**
 * Zones to hold at a bound. Where more is above the upper bounds than below the lower ones, the final level can only
 * be higher, so those above stay above and are settled; and the other way round (as flexible boxes are resolved in
 * CSS Flexible Box Layout, section 9.7).
 */
function zonesOutOfBounds(
  ideal: readonly number[],
  roster: Roster,
  rules: { readonly free: readonly number[]; readonly spread: ZoneSpread; readonly partitions: number },
): { readonly zone: number; readonly replicas: number }[] {
  const totals = zoneTotals(ideal, roster);
  const over = (zone: number): number => totals[zone]! - rules.spread.most[zone]! * rules.partitions;
  const under = (zone: number): number => rules.spread.least[zone]! * rules.partitions - totals[zone]!;
  const tooMany = rules.free.filter((zone) => over(zone) > ROUNDING);
  const tooFew = rules.free.filter((zone) => under(zone) > ROUNDING);
  const excess = tooMany.reduce((sum, zone) => sum + over(zone), 0);
  const shortage = tooFew.reduce((sum, zone) => sum + under(zone), 0);
  return excess >= shortage
    ? tooMany.map((zone) => ({ zone, replicas: rules.spread.most[zone]! * rules.partitions }))
    : tooFew.map((zone) => ({ zone, replicas: rules.spread.least[zone]! * rules.partitions }));
}

/** Sums of a thousand doubles below 2^16 err by far less. */
const ROUNDING = 1e-6;

function zoneTotals(ideal: readonly number[], roster: Roster): number[] {
  const totals = roster.zones.map(() => 0);
  for (const [member, load] of ideal.entries()) totals[roster.zoneOf[member]!]! += load;
  return totals;
}
