import type { ChangeResult } from '../../cluster/cluster-admin.ts';
import type { Epoch, TopologyState } from '../../core/topology/types.ts';
import type { TopologyHistory } from './topology-history.ts';
import { requireOf } from './violation.ts';

const requireKept = requireOf('no acknowledged change is lost');
const requireFinal = requireOf('a refusal is final');
const requireFresh = requireOf('linearizable reads');

/** A change as a client asked for it: what must hold in the topology of the epoch that acknowledged it. */
export type Expectation = {
  readonly text: string;
  holds(state: TopologyState, subject: number): boolean;
  /** Where no other change could have done it: whether `state` shows that it was done. */
  isDone?(state: TopologyState): boolean;
};

/** What clients of one cluster were told, and in which order. */
export class ClientHistory {
  readonly #history: TopologyHistory;
  readonly #refused: Expectation[] = [];
  /** Acknowledged at an epoch that no member was known to have. */
  readonly #early: { readonly expectation: Expectation; readonly result: ChangeResult }[] = [];
  /** Everything acknowledged, and every linearizable read answered, is at or below this epoch. */
  #seen = 0 as Epoch;

  constructor(history: TopologyHistory) {
    this.#history = history;
  }

  get seen(): Epoch {
    return this.#seen;
  }

  /**
   * The member that led may have died in the turn in which it answered, before anybody else knew that it was committed: what is
   * not known yet is judged at the end.
   */
  acknowledged(expectation: Expectation, result: ChangeResult): void {
    const state = this.#history.at(result.epoch);
    if (state === undefined) this.#early.push({ expectation, result });
    else this.#judge(expectation, result, state);
  }

  #judge({ text, holds }: Expectation, { epoch, subject }: ChangeResult, state: TopologyState): void {
    requireKept(
      holds(state, subject),
      () => `${text}: acknowledged at epoch ${epoch}, where it does not hold`,
    );
    this.#see(epoch);
  }

  /** It was said that nothing was changed, now or later (R25). */
  refused(expectation: Expectation): void {
    if (expectation.isDone !== undefined) this.#refused.push(expectation);
  }

  /** `before`: what had been seen when the read began. */
  read(who: string, state: TopologyState, before: Epoch): void {
    requireFresh(
      state.epoch >= before,
      () => `${who} reads epoch ${state.epoch}, and ${before} was seen before the read began`,
    );
    this.#history.shown(who, state);
    this.#see(state.epoch);
  }

  /** The end of the run: `state` is what the cluster converged to. */
  ended(state: TopologyState): void {
    for (const { expectation, result } of this.#early) {
      const committed = this.#history.at(result.epoch);
      const says = `${expectation.text}: acknowledged at epoch ${result.epoch}`;
      requireKept(committed !== undefined, () => `${says}, which was never committed`);
      if (committed !== undefined) this.#judge(expectation, result, committed);
    }
    for (const { text, isDone } of this.#refused) {
      const done = this.#history.states().find((each) => isDone?.(each) === true);
      requireFinal(done === undefined, () => `${text}: refused, and done at epoch ${done?.epoch}`);
    }
    requireKept(
      state.epoch >= this.#seen,
      () => `the cluster ends at ${state.epoch}, and ${this.#seen} was seen`,
    );
  }

  #see(epoch: Epoch): void {
    if (epoch > this.#seen) this.#seen = epoch;
  }
}
