import type { Clock, Timer } from '../ports/clock.ts';

/** Does `work` every `intervalMs`, the first time after one, until it is cancelled; within `work` as well. */
export function regularly(clock: Clock, intervalMs: number, work: () => void): Timer {
  let isCancelled = false;
  const again = (): Timer =>
    clock.setTimer(intervalMs, () => {
      work();
      if (!isCancelled) timer = again();
    });
  let timer = again();
  return {
    cancel() {
      isCancelled = true;
      timer.cancel();
    },
  };
}
