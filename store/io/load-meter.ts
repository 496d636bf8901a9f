import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Clock } from '../ports/clock.ts';

export type LoadMeterOptions = { readonly intervalMs: number };

export type LoadMeterDeps = {
  readonly clock: Clock;
  /** 0 to 1, in steps of a hundredth. */
  report(load: number): void;
};

/**
 * Reports, every `intervalMs`, which share of the time since the last report the event loop was busy: a node runs on one
 * event loop, so that is how much of what it can do is taken. Ends when it is disposed of.
 */
export function startLoadMeter(
  { intervalMs }: LoadMeterOptions,
  { clock, report }: LoadMeterDeps,
): Disposable {
  let last: EventLoopUtilization = performance.eventLoopUtilization();
  const measure = (): void => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    timer = clock.setTimer(intervalMs, measure);
    report(Math.round(utilization * 100) / 100);
  };
  let timer = clock.setTimer(intervalMs, measure);
  return { [Symbol.dispose]: () => timer.cancel() };
}
