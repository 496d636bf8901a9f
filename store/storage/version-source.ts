import {
  type HybridClock,
  nextCeiling,
  observe,
  raiseCeiling,
  stamp,
  startClock,
} from '../core/version/hybrid-clock.ts';
import { type Version, WALL_MS_MAX } from '../core/version/version.ts';
import type { Clock } from '../ports/clock.ts';
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

/**
 * No bound is raised before a stamp asks for it, which a coordinator does only where the clocks of a majority agree with its
 * own: one that was raised at a start with a clock hours ahead would keep this node from stamping for as many hours (D3).
 */
export async function openVersionSource(
  options: { readonly member: number; readonly aheadMs: number },
  deps: { readonly clock: Clock; readonly meta: MetaStore },
): Promise<VersionSource> {
  const { clock, meta } = deps;
  const stored = (await meta.read(FACT)) as { ceilingMs: number } | undefined;
  let state: HybridClock = startClock(options.member, stored?.ceilingMs ?? 0);
  if (state.ceilingMs >= WALL_MS_MAX) throw noMoreVersions();
  let raising: Promise<void> | undefined;
  /**
   * How far stamps stay behind the clock: on a disk that takes longer than `aheadMs`, each bound has passed before
   * it is durable, and without this no write would ever be stamped.
   */
  let behindMs = 0;

  const raise = async (): Promise<void> => {
    if (state.ceilingMs >= WALL_MS_MAX) throw noMoreVersions();
    const ceilingMs = nextCeiling(state, clock.nowMs(), options.aheadMs);
    const startMs = clock.monotonicMs();
    await meta.write(FACT, { ceilingMs });
    state = raiseCeiling(state, ceilingMs);
    behindMs = Math.max(0, Math.ceil(clock.monotonicMs() - startMs - options.aheadMs / 2));
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
      if (state.ceilingMs - state.lastMs < options.aheadMs / 2) ready().catch(() => {});
      return stamped.version;
    },
  };
}

/** The clock was, or is, some 8,000 years ahead; a bound that cannot grow would be written for ever. */
function noMoreVersions(): Error {
  return new Error(
    `no version is left: the clock was once at ${WALL_MS_MAX} ms, the end of its range; ` +
      'set the clock right, and import the data into a new directory',
  );
}
