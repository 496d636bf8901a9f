import type { RaftOptions } from './options.ts';
import { type LogIndex, maxIndex, minIndex, plus, type Snapshot, toIndex } from './types.ts';
import { Window } from './window.ts';

/**
 * How the leader sends to a member. `probe`: one message at a time, until it is known where the logs agree.
 * `replicate`: pipelined, within the window. `snapshot`: one chunk at a time, of one snapshot to its end even if
 * a newer one is taken meanwhile. `isWaiting`: for an answer, or for the heartbeat that replaces a lost one.
 */
export type Flow =
  | { readonly type: 'probe'; isWaiting: boolean }
  | { readonly type: 'replicate'; readonly window: Window }
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot; offset: number; isWaiting: boolean };

/** What the leader knows of one member. Always `match < next`. */
export class Progress {
  readonly #options: RaftOptions;
  #match = toIndex(0);
  #next: LogIndex;
  #flow: Flow = { type: 'probe', isWaiting: false };
  /** Whether it answered since the last quorum check. */
  isActive = true;
  /** The latest read round that it confirmed. */
  readRound = 0;
  /** The commit index that it was last told. */
  commitSent = toIndex(0);

  constructor(next: LogIndex, options: RaftOptions) {
    this.#next = next;
    this.#options = options;
  }

  get match(): LogIndex {
    return this.#match;
  }

  get next(): LogIndex {
    return this.#next;
  }

  get flow(): Flow {
    return this.#flow;
  }

  /** An append up to `last` went out. */
  sent(last: LogIndex, bytes: number): void {
    if (this.#flow.type === 'probe') this.#flow.isWaiting = true;
    if (this.#flow.type !== 'replicate' || last < this.#next) return;
    this.#flow.window.add(last, bytes);
    this.#next = plus(last, 1);
  }

  /** The member holds everything up to `match`. True where that is new, or ends a probe. */
  accepted(match: LogIndex): boolean {
    const isNews = match > this.#match;
    this.#match = maxIndex(this.#match, match);
    this.#next = maxIndex(this.#next, plus(this.#match, 1));
    const flow = this.#flow;
    switch (flow.type) {
      case 'probe':
        if (match < this.#match) return isNews;
        this.#replicate();
        return true;
      case 'replicate':
        flow.window.freeThrough(match);
        return isNews;
      case 'snapshot':
        // Caught up by whatever means: by this snapshot, or by entries while it was on its way (R28).
        if (this.#match >= flow.snapshot.index) this.#replicate();
        return isNews;
    }
  }

  /**
   * The member lacks `rejected`; the logs may agree at `hint`. Ignored where it answers an old message: what was
   * matched stays matched, so `next` never falls to `match` or below (R20).
   */
  rejected(rejected: LogIndex, hint: LogIndex): boolean {
    const isOld =
      this.#flow.type === 'snapshot' ||
      (this.#flow.type === 'replicate' ? rejected <= this.#match : rejected !== this.#next - 1);
    if (isOld) return false;
    const agreed = this.#flow.type === 'replicate' ? this.#match : minIndex(hint, plus(rejected, -1));
    this.#next = plus(maxIndex(this.#match, agreed), 1);
    this.#flow = { type: 'probe', isWaiting: false };
    return true;
  }

  startSnapshot(snapshot: Snapshot): void {
    this.#flow = { type: 'snapshot', snapshot, offset: 0, isWaiting: false };
    this.#next = plus(snapshot.index, 1);
  }

  #replicate(): void {
    const { appendsInFlightMax, bytesInFlightMax } = this.#options;
    this.#flow = { type: 'replicate', window: new Window(appendsInFlightMax, bytesInFlightMax) };
    this.#next = plus(this.#match, 1);
  }
}
