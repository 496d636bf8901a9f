import type { ReplicaSets } from './replica-sets.ts';
import type { Roster } from './roster.ts';
import type { ZoneSpread } from './zone-spread.ts';

type Plan = {
  readonly sets: ReplicaSets;
  readonly roster: Roster;
  readonly spread: ZoneSpread;
  readonly ideal: readonly number[];
  /** Members per set. */
  readonly replicas: number;
};

/**
 * The sets to start from: as many members as can stay do stay, each partition by itself, and the free places go to
 * those who are furthest from their ideal. Complete and well spread over zones; loads are settled afterwards.
 */
export function keepAndFill(plan: Plan, before: readonly (readonly number[])[]): void {
  for (const [partition, members] of before.entries()) keep(plan, partition, members);
  for (const partition of before.keys()) {
    while (plan.sets.setOf(partition).length < plan.replicas) {
      const best = furthestFromIdeal(plan, partition);
      plan.sets.take(partition, best);
    }
  }
}

/** A member stays while its zone has room and enough places are left for the zones that must still get one. */
function keep(plan: Plan, partition: number, before: readonly number[]): void {
  const { sets, roster, spread } = plan;
  for (const member of before) {
    const zone = roster.zoneOf[member]!;
    if (mayEnter(plan, partition, zone) && sets.countIn(partition, zone) < spread.most[zone]!)
      sets.take(partition, member);
  }
}

function mayEnter(plan: Plan, partition: number, zone: number): boolean {
  const { sets, spread, replicas } = plan;
  const count = sets.countIn(partition, zone);
  if (count < spread.least[zone]!) return sets.setOf(partition).length < replicas;
  if (count >= spread.most[zone]!) return false;
  let owed = 0;
  for (const [other, least] of spread.least.entries())
    owed += Math.max(0, least - sets.countIn(partition, other));
  return sets.setOf(partition).length + owed < replicas;
}

/**
 * The member that lacks the largest part of its ideal, so that all fill up at the same pace and meet in many
 * combinations; between equals a hash of partition and member decides (as in rendezvous hashing): the load
 * of a lost member then falls on many, not on its neighbours.
 */
function furthestFromIdeal(plan: Plan, partition: number): number {
  const { sets, roster, spread, ideal } = plan;
  const isOpen = spread.most.map((_, zone) => mayEnter(plan, partition, zone));
  let best = -1;
  let bestLack = 0;
  let bestHash = 0;
  for (let member = 0; member < ideal.length; member++) {
    if (!isOpen[roster.zoneOf[member]!] || sets.has(partition, member)) continue;
    const lack = 1 - sets.load[member]! / ideal[member]!;
    if (best >= 0 && lack < bestLack) continue;
    const hash = hashOf(partition, roster.ids[member]!);
    if (best >= 0 && lack === bestLack && hash <= bestHash) continue;
    best = member;
    bestLack = lack;
    bestHash = hash;
  }
  return best;
}

/** The finalizer of MurmurHash3 over both numbers. */
function hashOf(partition: number, member: number): number {
  let hash = Math.imul(partition + 1, 0x9e3779b1) ^ Math.imul(member, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
