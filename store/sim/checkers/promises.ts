import type { Message } from '../../core/raft/messages.ts';
import type { MemberId, Term } from '../../core/raft/types.ts';
import type { DiskLog } from '../world/disk-log.ts';
import { once, requireOf } from './violation.ts';

const require = requireOf('promises are durable');
const requireKept = requireOf('votes are kept');

/** What a member tells others of its term, its vote and its log is on its disk; a vote is never given twice. */
export class Promises {
  readonly #votes = new Map<string, MemberId>();
  readonly #terms = new Map<string, Term>();

  /** `directoryId` tells a disk from another one of the same member number. */
  persisted({ hardState }: DiskLog, directoryId: string): void {
    if (hardState === undefined) return;
    const { term, vote } = hardState;
    requireKept(
      term >= (this.#terms.get(directoryId) ?? 0),
      () => `the term of ${directoryId} fell from ${this.#terms.get(directoryId)} to ${term}`,
    );
    this.#terms.set(directoryId, term);
    if (vote === undefined) return;
    const known = once(this.#votes, `${directoryId} ${term}`, vote);
    requireKept(known === vote, () => `${directoryId} voted for ${known} and for ${vote} in term ${term}`);
  }

  /** Another beginning of the same directory: a wiped log, or an older copy of it. */
  forget(directoryId: string): void {
    this.#terms.delete(directoryId);
  }

  sent(message: Message, log: DiskLog): void {
    const { term, vote } = log.durable.hardState ?? { term: 0, vote: undefined };
    const who = `member ${message.from}`;
    switch (message.type) {
      case 'vote-response':
        if (!message.isGranted) return;
        require(term > message.term || (term === message.term && vote === message.to), () =>
          `${who} grants ${message.to} term ${message.term}; durable: vote for ${vote} in term ${term}`);
        return;
      case 'vote':
        require(term > message.term || (term === message.term && vote === message.from), () =>
          `${who} campaigns in term ${message.term}; durable: vote for ${vote} in term ${term}`);
        return;
      case 'append-response':
        // Of an older term it was true of a log that a newer leader has cut since: the two may have become durable at once.
        if (message.term < term) return;
        require(message.match <= Math.max(log.durable.last, log.pointer?.index ?? 0), () =>
          `${who} acknowledges entry ${message.match}; durable: up to ${log.durable.last}`);
        return;
      default:
        return;
    }
  }
}
