import type { MemberId } from '../raft/types.ts';
import type { Rumour } from './messages.ts';
import { compareClaims, compareRumours, mergeRumours, withLiveness } from './rumour.ts';
import { type GossipState, isOneOf, rumourOf, selfRumour } from './state.ts';
import { suspicionMs } from './suspicion.ts';

/**
 * Takes in rumours, and returns the members of whom the teller is behind about who lives: it is told in the answer.
 * Rumours of strangers are dropped: the topology says who may be known.
 */
export function hearRumours(gossip: GossipState, rumours: readonly Rumour[], nowMs: number): MemberId[] {
  const toCorrect: MemberId[] = [];
  for (const rumour of rumours) {
    if (rumour.member === gossip.self) {
      defend(gossip, rumour);
      continue;
    }
    believe(gossip, rumour, nowMs);
    const held = rumourOf(gossip, rumour.member);
    if (held !== undefined && isBehind(rumour, held)) toCorrect.push(rumour.member);
  }
  return toCorrect;
}

/** News of who is alive by both accounts reach the teller in time; about anything else it must not stay wrong. */
function isBehind(told: Rumour, held: Rumour): boolean {
  return compareClaims(told, held) < 0 && !(told.liveness === 'alive' && held.liveness === 'alive');
}

/** Keeps the greater of what is held and what is heard; what changed spreads. */
export function believe(gossip: GossipState, heard: Rumour, nowMs: number): void {
  const before = gossip.known.get(heard.member);
  if (before === undefined) return;
  const rumour = mergeRumours(before.rumour, heard);
  if (rumour === before.rumour) return;
  hold(gossip, rumour, nowMs);
  const isUrgent =
    rumour.liveness !== before.rumour.liveness ||
    rumour.liveness === 'suspect' ||
    rumour.address !== before.rumour.address;
  gossip.dissemination.add(rumour.member, isUrgent);
}

/** Holds `rumour` from now on, and times the suspicion that it may be; does not spread it. */
export function hold(gossip: GossipState, rumour: Rumour, nowMs: number): void {
  const before = gossip.known.get(rumour.member);
  const sinceMs = before?.rumour.liveness === rumour.liveness ? before.sinceMs : nowMs;
  gossip.known.set(rumour.member, { rumour, sinceMs });
  if (rumour.liveness !== 'suspect') {
    gossip.suspicions.end(rumour.member);
    return;
  }
  const durationMs = suspicionMs(gossip.options, gossip.known.size, rumour.accusers?.length ?? 1);
  const isSame = before !== undefined && compareClaims(before.rumour, rumour) === 0;
  if (isSame) gossip.suspicions.shorten(rumour.member, durationMs, nowMs);
  else gossip.suspicions.begin(rumour.member, durationMs, nowMs);
}

/** By a probe of this node's own that failed. Who is dead or left already stays so. */
export function accuse(gossip: GossipState, member: MemberId, nowMs: number): void {
  const rumour = rumourOf(gossip, member);
  if (rumour === undefined || !isOneOf(gossip, member, 'alive', 'suspect')) return;
  if (rumour.liveness === 'alive') gossip.counters.suspicionsRaised += 1;
  believe(gossip, { ...rumour, liveness: 'suspect', accusers: [gossip.self] }, nowMs);
}

/** Suspicions that nobody refuted in time. */
export function declareDead(gossip: GossipState, nowMs: number): void {
  for (const member of gossip.suspicions.expired(nowMs)) {
    const rumour = rumourOf(gossip, member);
    if (rumour === undefined) continue;
    gossip.counters.deathsDeclared += 1;
    believe(gossip, withLiveness(rumour, 'dead'), nowMs);
  }
}

/**
 * Others say of this node what is greater than what it says itself: it raises its refutation above that. A greater
 * incarnation is another life of its directory, which the topology deals with; one that left does not argue.
 */
function defend(gossip: GossipState, rumour: Rumour): void {
  const own = selfRumour(gossip);
  if (rumour.incarnation !== own.incarnation || own.liveness === 'left') return;
  if (compareRumours(rumour, own) <= 0) return;
  setSelf(gossip, { ...own, refutation: rumour.refutation });
  if (rumour.liveness === 'alive') return;
  gossip.counters.refutations += 1;
  gossip.health.worsen();
}

/** Says something new of this node; every packet from now on carries it. */
export function setSelf(gossip: GossipState, rumour: Rumour, nowMs?: number): void {
  const before = gossip.known.get(gossip.self);
  gossip.known.set(gossip.self, {
    rumour: { ...rumour, refutation: rumour.refutation + 1 },
    sinceMs: nowMs ?? before?.sinceMs ?? 0,
  });
}
