import { isFromLeader, type Message } from '../../core/raft/messages.ts';
import type { MemberId, Term } from '../../core/raft/types.ts';
import { once, requireOf } from './violation.ts';

const require = requireOf('one leader per term');

/** Election Safety (paper figure 3), over all members and all of their lives: told by who speaks as a leader. */
export class Elections {
  readonly #leaders = new Map<Term, MemberId>();

  /** True where a leader is heard of for the first time in its term. */
  sent(message: Message): boolean {
    if (!isFromLeader(message)) return false;
    return this.leads(message.from, message.term);
  }

  leads(member: MemberId, term: Term): boolean {
    const isNew = !this.#leaders.has(term);
    const leader = once(this.#leaders, term, member);
    require(leader === member, () => `members ${leader} and ${member} both lead term ${term}`);
    return isNew;
  }
}
