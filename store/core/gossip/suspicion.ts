import type { MemberId } from '../raft/types.ts';
import type { GossipOptions } from './options.ts';
import { ACCUSERS_MAX } from './rumour.ts';

/**
 * How long a suspicion lasts (Lifeguard section 3.3): from `suspicionFactorMax` times the shortest, where one node
 * alone speaks, down to the shortest once enough others found the member silent too. The shortest grows with the
 * logarithm of the cluster, as the way of a refutation does.
 */
export function suspicionMs(options: GossipOptions, members: number, accusers: number): number {
  const shortestMs = options.suspicionFactor * Math.max(1, Math.log10(members)) * options.periodMs;
  const longestMs = options.suspicionFactorMax * shortestMs;
  const wanted = Math.min(ACCUSERS_MAX - 1, members - 2);
  if (wanted <= 0) return shortestMs;
  const share = Math.log(Math.max(1, accusers)) / Math.log(wanted + 1);
  return Math.max(shortestMs, longestMs - (longestMs - shortestMs) * share);
}

type Suspicion = { sinceMs: number; durationMs: number };

/** The suspicions that run here, each since this node heard of it. */
export class Suspicions {
  readonly #running = new Map<MemberId, Suspicion>();

  begin(member: MemberId, durationMs: number, nowMs: number): void {
    this.#running.set(member, { sinceMs: nowMs, durationMs });
  }

  /** A confirmation shortens it; it counts from where it began, and does not end before now. */
  shorten(member: MemberId, durationMs: number, nowMs: number): void {
    const suspicion = this.#running.get(member);
    if (suspicion !== undefined) suspicion.durationMs = Math.max(durationMs, nowMs - suspicion.sinceMs);
  }

  end(member: MemberId): void {
    this.#running.delete(member);
  }

  /** Time during which this node stood still does not count against anybody. */
  prolong(byMs: number): void {
    for (const suspicion of this.#running.values()) suspicion.sinceMs += byMs;
  }

  expired(nowMs: number): MemberId[] {
    return [...this.#running].filter(([, one]) => endMs(one) <= nowMs).map(([member]) => member);
  }

  nextDueMs(): number {
    let dueMs = Number.POSITIVE_INFINITY;
    for (const one of this.#running.values()) dueMs = Math.min(dueMs, endMs(one));
    return dueMs;
  }
}

const endMs = ({ sinceMs, durationMs }: Suspicion): number => sinceMs + durationMs;
