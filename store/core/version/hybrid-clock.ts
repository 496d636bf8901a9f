import { COUNTER_MAX, compareVersions, type Version, WALL_MS_MAX } from './version.ts';

/**
 * A hybrid logical clock (Kulkarni et al. 2014). It never stamps at or below what it stamped or saw before,
 * whatever the wall clock does, and never at or above `ceilingMs`: the bound that its owner made durable.
 * A restart begins at the last durable bound, so no stamp is ever given twice, even when the clock was set back.
 */
export type HybridClock = {
  readonly member: number;
  readonly lastMs: number;
  readonly lastCounter: number;
  /** Exclusive upper bound of stamps, durable already. */
  readonly ceilingMs: number;
};

export type Stamp =
  | { readonly type: 'stamped'; readonly version: Version; readonly clock: HybridClock }
  /** Nothing may be stamped until a ceiling above `neededMs` is durable. */
  | { readonly type: 'ceiling-reached'; readonly neededMs: number };

/** A clock that begins at the last durable bound; it stamps only after `raiseCeiling`. */
export function startClock(member: number, durableCeilingMs: number): HybridClock {
  return { member, lastMs: durableCeilingMs, lastCounter: 0, ceilingMs: durableCeilingMs };
}

/** The next stamp at wall time `nowMs`. */
export function stamp(clock: HybridClock, nowMs: number): Stamp {
  let wallMs = Math.max(nowMs, clock.lastMs);
  let counter = wallMs === clock.lastMs ? clock.lastCounter + 1 : 0;
  if (counter > COUNTER_MAX) {
    wallMs += 1;
    counter = 0;
  }
  if (wallMs >= clock.ceilingMs) return { type: 'ceiling-reached', neededMs: wallMs };
  const version = { wallMs, counter, member: clock.member };
  return { type: 'stamped', version, clock: { ...clock, lastMs: wallMs, lastCounter: counter } };
}

/** The clock after it saw `version`: later stamps are above it. */
export function observe(clock: HybridClock, version: Version): HybridClock {
  const last = { wallMs: clock.lastMs, counter: clock.lastCounter, member: 0 };
  if (compareVersions({ ...version, member: 0 }, last) <= 0) return clock;
  return { ...clock, lastMs: version.wallMs, lastCounter: version.counter };
}

/** The clock after `ceilingMs` was made durable; a lower bound than before changes nothing. */
export function raiseCeiling(clock: HybridClock, ceilingMs: number): HybridClock {
  return ceilingMs > clock.ceilingMs ? { ...clock, ceilingMs } : clock;
}

/** The bound to make durable next: `aheadMs` above what is needed now, and never below the one there is. */
export function nextCeiling(clock: HybridClock, nowMs: number, aheadMs: number): number {
  const wanted = Math.max(nowMs, clock.lastMs + 1) + aheadMs;
  return Math.min(Math.max(wanted, clock.ceilingMs), WALL_MS_MAX);
}
