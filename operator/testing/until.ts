import { setImmediate } from 'node:timers/promises';
import type { SimClock } from '../../store/sim/sim-clock.ts';

const PATIENCE_MS = 10_000;

/**
 * Resolves when `isTrue`; fails after 10 s with what it waited for. With a clock, time goes on to its next timer at each
 * look: it stands still while requests are under way, so that what is measured by it is exact.
 */
export async function until(what: string, isTrue: () => boolean, clock?: SimClock): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await setImmediate();
    const dueMs = clock?.nextDueMs();
    if (clock !== undefined && dueMs !== undefined && !isTrue()) clock.advance(dueMs - clock.monotonicMs());
  }
}
