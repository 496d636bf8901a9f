import type { Entry, LogIndex, Position } from '../core/raft/types.ts';

/**
 * `lost`: another entry was committed in its place, so it never takes effect. `unknown`: this member lost its place
 * before it could tell; a later leader may commit it yet (R25).
 */
export type ProposalEnd<Outcome> =
  | { readonly type: 'applied'; readonly outcome: Outcome }
  | { readonly type: 'lost' }
  | { readonly type: 'unknown' };

type Pending<Outcome> = { readonly position: Position; resolve(end: ProposalEnd<Outcome>): void };

/** Proposals that were appended and wait for what becomes of their index. */
export class PendingProposals<Outcome> {
  readonly #pending = new Map<LogIndex, Pending<Outcome>>();

  add(position: Position): Promise<ProposalEnd<Outcome>> {
    this.#pending.get(position.index)?.resolve({ type: 'unknown' });
    return new Promise((resolve) => this.#pending.set(position.index, { position, resolve }));
  }

  applied(entry: Entry, outcome: Outcome): void {
    const pending = this.#pending.get(entry.index);
    if (pending === undefined) return;
    this.#pending.delete(entry.index);
    pending.resolve(pending.position.term === entry.term ? { type: 'applied', outcome } : { type: 'lost' });
  }

  endAll(end: ProposalEnd<Outcome>): void {
    for (const { resolve } of this.#pending.values()) resolve(end);
    this.#pending.clear();
  }
}
