import {
  type HybridClock,
  nextCeiling,
  observe,
  raiseCeiling,
  stamp,
  startClock,
} from '../core/version/hybrid-clock.ts';
import { type Version, WALL_MS_MAX } from '../core/version/version.ts';
import { type Clock, sleep } from '../ports/clock.ts';
import type { MetaStore } from './meta-store.ts';

/**
 * Stamps writes. The bound below which it stamps is durable before it is used, so that a restart, or a clock that
 * was set back, never gives a version twice (regression D4).
 */
export type VersionSource = {
  /** The next version, or undefined until `ready` resolves. Synchronous, so that stamps and writes keep one order. */
  next(): Version | undefined;
  /** Later stamps are above `version`. */
  observe(version: Version): void;
  /** The last stamp that was given or observed. */
  last(): Version;
  /** Resolves once a higher bound is durable. */
  ready(): Promise<void>;
};

const FACT = 'clock';
/** On a slow disk the bound is this many times as far ahead as the disk takes to keep it: half of that is left when it is renewed. */
const AHEAD_PER_TOOK = 4;
/** And no further: a restart waits for it. */
export const AHEAD_MS_MAX = 5000;

/** As it is kept; `aheadMs`, how far it was set ahead, is missing in what was kept by version 0.2 and before. */
type Bound = { readonly ceilingMs: number; readonly aheadMs?: number };

/**
 * No bound is raised before a stamp asks for it, which a coordinator does only where the clocks of a majority agree with its
 * own: one that was raised at a start with a clock hours ahead would keep this node from stamping for as many hours (D3).
 */
export async function openVersionSource(
  options: { readonly member: number; readonly aheadMs: number },
  deps: { readonly clock: Clock; readonly meta: MetaStore },
): Promise<VersionSource> {
  const { clock, meta } = deps;
  const stored = (await meta.read(FACT)) as Bound | undefined;
  if (stored !== undefined) await approach(stored, options.aheadMs, clock);
  let state: HybridClock = startClock(options.member, stored?.ceilingMs ?? 0);
  if (state.ceilingMs >= WALL_MS_MAX) throw noMoreVersions();
  let raising: Promise<void> | undefined;
  /** How far the bound is set ahead now: on a disk that takes about `options.aheadMs`, writers would wait for each bound. */
  let { aheadMs } = options;
  /**
   * How far stamps stay behind the clock: on a disk that takes longer than any `aheadMs`, each bound has passed before
   * it is durable, and without this no write would ever be stamped.
   */
  let behindMs = 0;

  const raise = async (): Promise<void> => {
    if (state.ceilingMs >= WALL_MS_MAX) throw noMoreVersions();
    const ceilingMs = nextCeiling(state, clock.nowMs(), aheadMs);
    const startMs = clock.monotonicMs();
    await meta.write(FACT, { ceilingMs, aheadMs } satisfies Bound);
    state = raiseCeiling(state, ceilingMs);
    const tookMs = Math.ceil(clock.monotonicMs() - startMs);
    const wantedMs = Math.min(AHEAD_PER_TOOK * tookMs, AHEAD_MS_MAX);
    aheadMs = Math.max(options.aheadMs, wantedMs);
    behindMs = Math.max(0, tookMs - aheadMs / 2);
  };
  const ready = (): Promise<void> => {
    raising ??= raise().finally(() => {
      raising = undefined;
    });
    return raising;
  };

  return {
    ready,
    observe(version) {
      state = observe(state, version);
    },
    last: () => ({ wallMs: state.lastMs, counter: state.lastCounter, member: options.member }),
    next() {
      const stamped = stamp(state, clock.nowMs() - behindMs);
      if (stamped.type === 'ceiling-reached') return undefined;
      state = stamped.clock;
      // Renewed at half the distance, so that writers rarely wait. A failure shows in the write that needs it.
      if (state.ceilingMs - state.lastMs < aheadMs / 2) ready().catch(() => {});
      return stamped.version;
    },
  };
}

/**
 * Stamps begin at the last bound, and others refuse what is far ahead of their clocks: so where a slow disk had it set
 * further ahead than usual, the clock is waited for; at most by so much, since it may have been set back meanwhile.
 */
async function approach({ ceilingMs, aheadMs }: Bound, usualMs: number, clock: Clock): Promise<void> {
  const excessMs = (aheadMs ?? usualMs) - usualMs;
  const waitMs = Math.min(excessMs, ceilingMs - usualMs - clock.nowMs());
  if (waitMs > 0) await sleep(clock, waitMs, new AbortController().signal);
}

/** The clock was, or is, some 8,000 years ahead; a bound that cannot grow would be written for ever. */
function noMoreVersions(): Error {
  return new Error(
    `no version is left: the clock was once at ${WALL_MS_MAX} ms, the end of its range; ` +
      'set the clock right, and import the data into a new directory',
  );
}
