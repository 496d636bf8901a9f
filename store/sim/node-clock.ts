import type { Clock, Timer } from '../ports/clock.ts';
import type { SimProcess } from './sim-process.ts';
import type { Timeline } from './timeline.ts';

/** The oscillator and the wall clock of a machine; they outlive its processes. */
export type MachineClock = {
  /** Local milliseconds per virtual one: 1.01 runs a hundredth too fast. */
  readonly rate: number;
  /** How far its wall clock is ahead of the true one; a jump changes it. */
  wallOffsetMs: number;
};

/** 2026-01-01: the wall time at the start of virtual time. */
const START_WALL_MS = Date.UTC(2026, 0, 1);

/** What the wall clock of a machine shows at a virtual time. */
export function wallMsAt({ rate, wallOffsetMs }: MachineClock, virtualMs: number): number {
  return Math.floor(START_WALL_MS + wallOffsetMs + virtualMs * rate);
}

/** Virtual time as one process sees it: wrong by its machine's clock, and standing still while it is paused. */
export class NodeClock implements Clock {
  readonly #machine: MachineClock;
  readonly #timeline: Timeline;
  readonly #process: SimProcess;

  constructor(machine: MachineClock, deps: { readonly timeline: Timeline; readonly process: SimProcess }) {
    this.#machine = machine;
    this.#timeline = deps.timeline;
    this.#process = deps.process;
  }

  nowMs(): number {
    return wallMsAt(this.#machine, this.#timeline.nowMs);
  }

  monotonicMs(): number {
    return this.#timeline.nowMs * this.#machine.rate;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const wait = Math.max(0, delayMs) / this.#machine.rate;
    let isCancelled = false;
    // A timer that fell due in a pause may be cancelled, by another one, before its turn comes.
    const fire = (): void => {
      if (!isCancelled) callback();
    };
    const scheduled = this.#timeline.after(wait, () => this.#process.run(fire));
    return {
      cancel: () => {
        isCancelled = true;
        scheduled.cancel();
      },
    };
  }
}
