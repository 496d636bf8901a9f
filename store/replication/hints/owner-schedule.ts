import type { MemberId } from '../../core/raft/types.ts';

/** After a pass that left hints behind the next one comes later, up to the longest wait; any progress makes it soon again. */
const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 60_000;

type OwnerState = {
  isBusy: boolean;
  wasUp: boolean;
  retryMs: number;
  replayAtMs: number;
  sweepAtMs: number;
};

/** Whose hints are looked at when: one look at a time for each owner. Times are monotonic. */
export class OwnerSchedule {
  readonly #owners = new Map<MemberId, OwnerState>();

  /** An owner that is back is offered its hints at once, whatever it refused before it went. */
  isReplayDue(owner: MemberId, isUp: boolean, nowMs: number): boolean {
    const state = this.#of(owner);
    if (isUp && !state.wasUp) {
      state.retryMs = RETRY_MS_MIN;
      state.replayAtMs = nowMs;
    }
    state.wasUp = isUp;
    return isUp && !state.isBusy && nowMs >= state.replayAtMs;
  }

  isSweepDue(owner: MemberId, nowMs: number): boolean {
    const state = this.#of(owner);
    return !state.isBusy && nowMs >= state.sweepAtMs;
  }

  begin(owner: MemberId): void {
    this.#of(owner).isBusy = true;
  }

  end(owner: MemberId): void {
    this.#of(owner).isBusy = false;
  }

  replayed(owner: MemberId, end: { readonly settled: number; readonly left: number }, nowMs: number): void {
    const state = this.#of(owner);
    const hasStalled = end.left > 0 && end.settled === 0;
    state.replayAtMs = nowMs + (end.left > 0 ? state.retryMs : RETRY_MS_MIN);
    state.retryMs = hasStalled ? Math.min(RETRY_MS_MAX, 2 * state.retryMs) : RETRY_MS_MIN;
  }

  swept(owner: MemberId, nextAtMs: number): void {
    this.#of(owner).sweepAtMs = nextAtMs;
  }

  /** Forgets those for whom nothing is kept any more. */
  keepOnly(owners: ReadonlyMap<MemberId, unknown>): void {
    for (const [owner, { isBusy }] of this.#owners)
      if (!isBusy && !owners.has(owner)) this.#owners.delete(owner);
  }

  #of(owner: MemberId): OwnerState {
    const known = this.#owners.get(owner);
    if (known !== undefined) return known;
    const state = { isBusy: false, wasUp: false, retryMs: RETRY_MS_MIN, replayAtMs: 0, sweepAtMs: 0 };
    this.#owners.set(owner, state);
    return state;
  }
}
