import type { Timeline } from './timeline.ts';

/**
 * One life of a program: timers and deliveries reach it through `run`. A paused one (SIGSTOP) is given everything
 * that it missed at once when it goes on; a dead one is given nothing.
 */
export class SimProcess {
  readonly #timeline: Timeline;
  readonly #missed: (() => void)[] = [];
  #state: 'running' | 'paused' | 'dead' = 'running';
  /** When it last went on after a pause. */
  resumedAtMs = Number.NEGATIVE_INFINITY;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  get isAlive(): boolean {
    return this.#state !== 'dead';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  run(callback: () => void): void {
    if (this.#state === 'running') callback();
    else if (this.#state === 'paused') this.#missed.push(callback);
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.resumedAtMs = this.#timeline.nowMs;
    for (const callback of this.#missed.splice(0)) this.#timeline.after(0, () => this.run(callback));
  }

  kill(): void {
    this.#state = 'dead';
    this.#missed.length = 0;
  }
}
