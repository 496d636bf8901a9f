import type { ReadId } from './messages.ts';
import type { LogIndex } from './types.ts';

export type ReadRound = {
  readonly round: number;
  /** The commit index when the round began: what its reads must wait for. */
  readonly index: LogIndex;
  readonly ids: readonly ReadId[];
};

/**
 * The leader's side of ReadIndex (thesis 6.4). Requests wait until the next round begins; a round is confirmed
 * once a quorum answered a heartbeat that was sent after it began. Rounds are numbered within the term, and a
 * member leads a term at most once, so that no other request's answer can confirm a round (R8).
 */
export class ReadRounds {
  #waiting: ReadId[] = [];
  #rounds: ReadRound[] = [];
  #latest = 0;

  /** The latest round; heartbeats carry it. */
  get latest(): number {
    return this.#latest;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Requests without an answer. */
  get size(): number {
    return this.#rounds.reduce((sum, round) => sum + round.ids.length, this.#waiting.length);
  }

  add(id: ReadId): void {
    this.#waiting.push(id);
  }

  /** Begins a round for everything that waits. */
  begin(index: LogIndex): void {
    this.#latest++;
    this.#rounds.push({ round: this.#latest, index, ids: this.#waiting });
    this.#waiting = [];
  }

  /** The rounds up to `round`, which a quorum confirmed; they are forgotten. */
  confirm(round: number): readonly ReadRound[] {
    const confirmed = this.#rounds.filter((one) => one.round <= round);
    if (confirmed.length > 0) this.#rounds = this.#rounds.filter((one) => one.round > round);
    return confirmed;
  }
}
