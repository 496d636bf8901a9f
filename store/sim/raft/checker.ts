import type { Message } from '../../core/raft/messages.ts';
import type { RaftStatus } from '../../core/raft/status.ts';
import { type Entry, type LogIndex, type MemberId, type Term, toIndex } from '../../core/raft/types.ts';
import { formatConfiguration, formatEntry } from './format.ts';
import { digestEntry, type Host } from './host.ts';
import { doQuorumsMeet, isQuorumOf } from './quorums-meet.ts';
import { RaftViolation } from './violation.ts';

type Seen = { readonly digest: number; readonly previous: Term };

/**
 * Watches a group from outside, with no help from the core's own arithmetic: election safety, log matching,
 * leader completeness, state machine safety (paper figure 3), votes that are kept, commits that rest on a
 * quorum of disks, configurations whose quorums meet, reads that are not stale, and refusals that are final.
 */
export class RaftChecker {
  readonly #leaders = new Map<Term, MemberId>();
  readonly #votes = new Map<string, MemberId>();
  readonly #entries = new Map<string, Seen>();
  readonly #applied = new Map<LogIndex, { readonly term: Term; readonly digest: number }>();
  /** The term whose leader first committed an index; the entry itself may be of an older term. */
  readonly #committedIn = new Map<LogIndex, Term>();
  readonly #commits = new Map<Host, LogIndex>();
  readonly #terms = new Map<Host, Term>();
  readonly #refused = new Set<string>();
  readonly #reads = new Map<string, LogIndex>();
  /** The highest commit index of any member so far. */
  committed = 0 as LogIndex;

  /** After anything that `host` did. */
  observe(host: Host, hosts: ReadonlyMap<MemberId, Host>): void {
    if (!host.isUp) return;
    const status = host.raft.status();
    if (status.role === 'leader') this.#checkLeader(status);
    if (status.commit === this.#commits.get(host)) return;
    require(status.commit >= (this.#commits.get(host) ?? 0), `commit of ${host.id} fell to ${status.commit}`);
    this.#commits.set(host, status.commit);
    if (status.role === 'leader') {
      checkDurable(status, hosts);
      for (let i = this.committed + 1; i <= status.commit; i++)
        once(this.#committedIn, toIndex(i), status.term);
    }
    if (status.commit > this.committed) this.committed = status.commit;
  }

  /** A restart may forget how far the commit index was, never more. */
  restarted(host: Host): void {
    this.#commits.delete(host);
  }

  sent(message: Message): void {
    if (message.type !== 'append') return;
    let previous = message.previous.term;
    for (const entry of message.entries) {
      this.#matchEntry(entry, previous);
      previous = entry.term;
    }
  }

  persisted(host: Host): void {
    const { hardState, entries, snapshot } = host.disk;
    const { term, vote } = hardState;
    require(term >= (this.#terms.get(host) ?? 0), `the term of ${host.id} fell to ${term}`);
    this.#terms.set(host, term);
    if (vote !== undefined) {
      const known = once(this.#votes, `${host.id} in term ${term}`, vote);
      require(known === vote, `${host.id} voted for ${known} and for ${vote} in term ${term}`);
    }
    entries.forEach((entry, i) => {
      const previous =
        i > 0 ? entries[i - 1]?.term : entry.index === snapshot.index + 1 ? snapshot.term : undefined;
      if (previous !== undefined) this.#matchEntry(entry, previous);
    });
    this.#checkConfigurations(host);
    this.#checkComplete(host);
  }

  applied(host: Host, entry: Entry): void {
    const own = { term: entry.term, digest: host.machine.digest };
    const known = once(this.#applied, entry.index, own);
    require(known.term === own.term &&
      known.digest ===
        own.digest, `${host.id} applied ${formatEntry(entry)} where another member applied something else`);
    if (entry.type !== 'command') return;
    const text = new TextDecoder().decode(entry.data);
    require(!this.#refused.has(text), `${text} was refused, and applied by ${host.id}`);
  }

  refused(text: string): void {
    this.#refused.add(text);
  }

  readAsked(key: string): void {
    this.#reads.set(key, this.committed);
  }

  readConfirmed(key: string, index: LogIndex): void {
    const committedBefore = this.#reads.get(key) ?? 0;
    require(index >= committedBefore, `read ${key} at ${index}, but ${committedBefore} was committed before`);
  }

  #checkLeader({ term, id }: RaftStatus): void {
    const leader = once(this.#leaders, term, id);
    require(leader === id, `${leader} and ${id} both lead term ${term}`);
  }

  /** Log Matching, by induction: a position always has the same content and the same predecessor. */
  #matchEntry(entry: Entry, previous: Term): void {
    const digest = digestEntry(0, entry);
    const known = once(this.#entries, `${entry.index}@${entry.term}`, { digest, previous });
    require(known.digest === digest &&
      known.previous === previous, `two different entries or histories at ${entry.index}@${entry.term}`);
  }

  /** Leader Completeness: who leads a term has every entry that an earlier term's leader committed. */
  #checkComplete(host: Host): void {
    const { entries, snapshot } = host.disk;
    const last = entries.at(-1);
    if (last === undefined || this.#leaders.get(last.term) !== host.id) return;
    const terms = new Map(entries.map(({ index, term }) => [index, term]));
    for (const [index, committedIn] of this.#committedIn) {
      const term = this.#applied.get(index)?.term;
      if (index <= snapshot.index || committedIn >= last.term || term === undefined) continue;
      require(terms.get(index) === term, `${host.id} leads term ${last.term} without ${index}@${term}`);
    }
  }

  /** Each configuration in a log shares a member with every quorum of the one before; one at most is open. */
  #checkConfigurations(host: Host): void {
    const { snapshot, entries } = host.disk;
    let before = snapshot.configuration;
    let open = 0;
    for (const entry of entries) {
      if (entry.type !== 'config' || entry.index <= snapshot.index) continue;
      if (before.voters.length > 0) {
        const pair = `${formatConfiguration(before)} then ${formatConfiguration(entry.configuration)}`;
        require(doQuorumsMeet(before, entry.configuration), `disjoint quorums: ${pair} at ${host.id}`);
      }
      before = entry.configuration;
      if (entry.index > this.committed) open++;
    }
    require(open <= 1, `${open} uncommitted configurations in the log of ${host.id}`);
  }
}

/** What a leader committed is on the disks of a quorum. */
function checkDurable({ configuration, commit, term }: RaftStatus, hosts: ReadonlyMap<MemberId, Host>): void {
  const holders = [...hosts.values()].filter(({ disk }) => {
    return (
      disk.snapshot.index >= commit || disk.entries.some((one) => one.index === commit && one.term === term)
    );
  });
  const ids = new Set(holders.map((host) => host.id));
  const text = `${formatConfiguration(configuration)}, held by ${[...ids]}`;
  require(isQuorumOf(
    configuration,
    ids,
  ), `${commit}@${term} was committed without a quorum of disks: ${text}`);
}

function require(holds: boolean, message: string): asserts holds {
  if (!holds) throw new RaftViolation(message);
}

/** The value first put under `key`. */
function once<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  map.set(key, value);
  return value;
}
