import type { Message } from '../../core/raft/messages.ts';
import type { Configuration, Entry, LogIndex, MemberId, Term } from '../../core/raft/types.ts';
import { formatConfiguration } from '../raft/format.ts';
import { isQuorumOf } from '../raft/quorums-meet.ts';
import type { DiskLog } from '../world/disk-log.ts';
import { textOfEntry } from './entry-text.ts';
import { requireOf } from './violation.ts';

const requireSame = requireOf('state machine safety');
const requireQuorum = requireOf('commits rest on a quorum of disks');
const requireComplete = requireOf('leader completeness');
const requireOwnTerm = requireOf('commits are of the own term');
const requireConfiguration = requireOf('a snapshot holds the configuration of its index');

export type Committed = { readonly entry: Entry; readonly text: string; readonly committedIn: Term };

/** What is committed, as the members say it on their disks or by applying it, each index once and for all. */
export class Commits {
  /** By index; the first ones may be in a snapshot that the cluster began with. */
  readonly entries = new Map<LogIndex, Committed>();
  readonly #holders = new Map<string, Set<MemberId>>();
  readonly #onCommitted: (entry: Entry) => void;
  /** The highest index that any member knows to be committed, and of which the entry is known. */
  last = 0 as LogIndex;

  constructor(onCommitted: (entry: Entry) => void) {
    this.#onCommitted = onCommitted;
  }

  /** Entries of which `member` may say that it has them. Wiped disks count: they had them when they said so. */
  durable(member: MemberId, { durable, entries }: DiskLog, fresh: readonly Entry[]): void {
    for (const { index, term } of fresh) {
      if (index > durable.last || entries.get(index)?.term !== term) continue;
      const key = `${index}@${term}`;
      const holders = this.#holders.get(key);
      if (holders === undefined) this.#holders.set(key, new Set([member]));
      else holders.add(member);
    }
  }

  /** Whose log it is takes it for committed behind `from` up to `to`; `configurations` are those that any log ends with now. */
  committed(log: DiskLog, from: LogIndex, to: LogIndex, configurations: readonly Configuration[]): void {
    const term = log.hardState?.term ?? (0 as Term);
    for (let index = (from + 1) as LogIndex; index <= to; index = (index + 1) as LogIndex) {
      const entry = log.entries.get(index);
      if (entry === undefined) continue;
      const text = textOfEntry(entry);
      const known = this.entries.get(index);
      if (known === undefined) this.#add({ entry, text, committedIn: term }, configurations);
      else
        requireSame(
          known.entry.term === entry.term && known.text === text,
          () =>
            `entry ${index} was committed as ${known.text} of term ${known.entry.term}, and as ${text} of term ${entry.term}`,
        );
    }
  }

  /** Who begins to lead a term has every entry that was committed in an earlier one. */
  leads(member: MemberId, term: Term, log: DiskLog): void {
    for (let index = this.last; index > (log.pointer?.index ?? 0); index = (index - 1) as LogIndex) {
      const known = this.entries.get(index);
      if (known === undefined || known.committedIn >= term) continue;
      const own = log.entries.get(index);
      requireComplete(
        own?.term === known.entry.term,
        () =>
          `member ${member} leads term ${term} with ${own === undefined ? 'nothing' : `term ${own.term}`} at ${index}, committed as of term ${known.entry.term}`,
      );
      return;
    }
  }

  /** What a leader says is committed, and nobody knew before, ends with an entry of its own term (figure 8). */
  sent(message: Message, log: DiskLog): void {
    if (message.type !== 'append' || message.commit <= this.last) return;
    const term = log.entries.get(message.commit)?.term;
    requireOwnTerm(
      term === undefined || term === message.term,
      () => `member ${message.from} leads term ${message.term} and commits ${message.commit} of term ${term}`,
    );
  }

  /** A later configuration may yet be dropped, or is not in force where the snapshot is installed (R14, R15). */
  snapshot(who: string, { pointer }: DiskLog): void {
    if (pointer === undefined || pointer.index < 2) return;
    for (let index = pointer.index; index > 1; index = (index - 1) as LogIndex) {
      const entry = this.entries.get(index)?.entry;
      if (entry === undefined) return;
      if (entry.type !== 'config') continue;
      const [own, expected] = [pointer.configuration, entry.configuration].map(formatConfiguration);
      requireConfiguration(
        own === expected,
        () =>
          `the snapshot of ${who} at ${pointer.index} has ${own}, in force was ${expected} since ${index}`,
      );
      return;
    }
  }

  #add(committed: Committed, configurations: readonly Configuration[]): void {
    const { index, term } = committed.entry;
    const holders = this.#holders.get(`${index}@${term}`) ?? new Set();
    requireQuorum(
      index === 1 || configurations.some((configuration) => isQuorumOf(configuration, holders)),
      () =>
        `${index}@${term} was committed; held by ${[...holders].join(', ')}; configurations: ${configurations.map(formatConfiguration).join(' | ')}`,
    );
    this.entries.set(index, committed);
    if (index > this.last) this.last = index;
    this.#onCommitted(committed.entry);
  }
}
