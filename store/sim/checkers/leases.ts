import { isFromLeader, type Message } from '../../core/raft/messages.ts';
import type { MemberId, Term } from '../../core/raft/types.ts';
import { requireOf } from './violation.ts';

const require = requireOf('a live leader is left alone');

/** What a member is when a message reaches it; times are those of its own clock. */
export type Receiver = {
  readonly nowMs: number;
  /** The shortest election timeout, less what counting in ticks may take off. */
  readonly leaseMs: number;
  /** Its term, in memory. */
  term(): number;
};

type Heard = { readonly term: Term; readonly leader: MemberId; readonly atMs: number };

/** Who heard a leader within the shortest election timeout helps nobody to depose it (thesis 4.2.3, R12). */
export class Leases {
  readonly #heard = new Map<MemberId, Heard>();
  /** By request, who leads as far as the asked member heard when it was asked; undefined where it was free to vote. */
  readonly #asked = new Map<string, Heard | undefined>();

  received(message: Message, receiver: Receiver): void {
    const { from, to, term } = message;
    if (message.type === 'pre-vote') {
      const key = `${to} ${from} ${term}`;
      const isKnown = this.#asked.has(key) && this.#asked.get(key) === undefined;
      if (!isKnown) this.#asked.set(key, this.#leaderOf(to, receiver));
    } else if (isFromLeader(message) && message.type !== 'timeout-now') {
      const known = this.#heard.get(to);
      if (known === undefined || term >= known.term)
        this.#heard.set(to, { term, leader: from, atMs: receiver.nowMs });
    }
  }

  /** A new life of `member` has heard nobody. */
  started(member: MemberId): void {
    this.#heard.delete(member);
  }

  sent(message: Message): void {
    if (message.type !== 'pre-vote-response' || !message.isGranted) return;
    const heard = this.#asked.get(`${message.from} ${message.to} ${message.term}`);
    require(heard === undefined, () =>
      `member ${message.from} would vote for ${message.to} in term ${message.term}, and had just heard ${heard?.leader} lead term ${heard?.term}`);
  }

  #leaderOf(member: MemberId, { nowMs, leaseMs, term }: Receiver): Heard | undefined {
    const heard = this.#heard.get(member);
    return heard !== undefined && nowMs - heard.atMs < leaseMs && heard.term === term() ? heard : undefined;
  }
}
