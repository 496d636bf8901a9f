import { NO_CONFIGURATION } from './configuration.ts';
import {
  type Configuration,
  type Entry,
  entryBytes,
  invariant,
  type LogIndex,
  maxIndex,
  minIndex,
  type PersistedState,
  type Position,
  plus,
  type Snapshot,
  type Term,
  toIndex,
  toTerm,
} from './types.ts';

export const NO_SNAPSHOT: Snapshot = {
  index: toIndex(0),
  term: toTerm(0),
  configuration: NO_CONFIGURATION,
  data: new Uint8Array(0),
};

type ConfigurationAt = { readonly index: LogIndex; readonly configuration: Configuration };

/**
 * The log in memory: what is on disk, and behind `stable` what is not yet. Always
 * `snapshot.index <= applied <= commit <= last.index` and `first - 1 <= snapshot.index`, without gaps.
 *
 * The configuration in force is the latest in the log, committed or not (thesis 4.1). It is derived from the
 * entries, so that truncation, a snapshot and a restart cannot leave a wrong one behind.
 */
export class RaftLog {
  /** The position before the first entry held; its entry is compacted away. */
  #base: Position;
  #entries: Entry[];
  #snapshot: Snapshot;
  /** The snapshot's configuration and those of the config entries after it, ascending. */
  #configurations: ConfigurationAt[] = [];
  #stable: LogIndex;
  #commit: LogIndex;
  #applied: LogIndex;

  /** Throws where the state on disk has a gap or lacks committed entries: such a node lost promises (R24). */
  constructor({ snapshot, entries, hardState, applied }: PersistedState) {
    this.#snapshot = snapshot;
    ({ base: this.#base, entries: this.#entries } = joinLog(snapshot, entries));
    this.#rebuildConfigurations();
    this.#stable = this.last.index;
    invariant(
      hardState.commit <= this.last.index,
      `log ends at ${this.last.index}, commit ${hardState.commit}`,
    );
    this.#commit = maxIndex(hardState.commit, snapshot.index);
    this.#applied = maxIndex(applied, snapshot.index);
    invariant(this.#applied <= this.#commit, `applied ${applied} is above commit ${this.#commit}`);
  }

  get first(): LogIndex {
    return plus(this.#base.index, 1);
  }

  get last(): Position {
    return this.#entries.at(-1) ?? this.#base;
  }

  /** Up to here the log is on disk. */
  get stable(): LogIndex {
    return this.#stable;
  }

  get commit(): LogIndex {
    return this.#commit;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** The configuration in force, and the index of its entry. */
  get current(): ConfigurationAt {
    return this.#configurations.at(-1) as ConfigurationAt;
  }

  /** The configuration that was in force at `index`, at or above the snapshot's. */
  configurationAt(index: LogIndex): Configuration {
    const found = this.#configurations.findLast((one) => one.index <= index);
    invariant(found !== undefined, `no configuration known at ${index}`);
    return found.configuration;
  }

  /** The term of the entry at `index`; undefined where it is compacted away or not there yet. */
  termAt(index: LogIndex): Term | undefined {
    if (index === this.#base.index) return this.#base.term;
    if (index === this.#snapshot.index) return this.#snapshot.term;
    return this.#entries[index - this.first]?.term;
  }

  has(position: Position): boolean {
    return this.termAt(position.index) === position.term;
  }

  /** Whether a log that ends at `last` holds everything this one may have committed (paper section 5.4.1). */
  isCoveredBy(last: Position): boolean {
    const own = this.last;
    return last.term > own.term || (last.term === own.term && last.index >= own.index);
  }

  /**
   * The entries from `from` up to the end or `through`, about `bytesMax` at most but at least one. Entries that
   * should be there and are not are a broken invariant, never the end of the log (R19).
   */
  slice(from: LogIndex, bytesMax: number, through: LogIndex = this.last.index): readonly Entry[] {
    invariant(from >= this.first && through <= this.last.index, `entries ${from}..${through} are not held`);
    let end: number = from;
    for (let bytes = 0; end <= through; end++) {
      bytes += entryBytes(this.#entries[end - this.first] as Entry);
      if (bytes > bytesMax && end > from) break;
    }
    return this.#entries.slice(from - this.first, end - this.first);
  }

  /** The last place at or below `position.index` whose term is at most `position.term` (conflict hint). */
  agreementBelow(position: Position): Position {
    let index = minIndex(position.index, this.last.index);
    while (index > this.#base.index && (this.termAt(index) as Term) > position.term) index = plus(index, -1);
    return { index, term: this.termAt(index) ?? toTerm(0) };
  }

  /**
   * Takes the entries that follow `previous`, which the log holds. What it has already stays, also behind the
   * last of `entries`: an old message must not truncate (R20). Only a conflict drops the rest.
   */
  merge(previous: Position, entries: readonly Entry[]): void {
    invariant(this.has(previous), `entry ${previous.index} of term ${previous.term} is not held`);
    const conflict = entries.findIndex((entry) => !this.has(entry));
    if (conflict >= 0) this.append(entries.slice(conflict));
  }

  /** Puts `entries` at their place and drops what stood there and behind. */
  append(entries: readonly Entry[]): void {
    const start = entries[0]?.index ?? plus(this.last.index, 1);
    invariant(start > this.#commit, `entry ${start} is committed and cannot be replaced`);
    invariant(start <= this.last.index + 1, `a gap before entry ${start}`);
    this.#entries.length = start - this.first;
    this.#stable = minIndex(this.#stable, plus(start, -1));
    while (this.current.index >= start) this.#configurations.pop();
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#noteConfiguration(entry);
    }
  }

  commitTo(index: LogIndex): void {
    invariant(index <= this.last.index, `commit ${index} beyond the log's end ${this.last.index}`);
    this.#commit = maxIndex(this.#commit, index);
  }

  /** `persisted` is on disk; ignored where the log has changed there meanwhile. */
  stableTo(persisted: Position): void {
    if (this.has(persisted)) this.#stable = maxIndex(this.#stable, persisted.index);
  }

  appliedTo(index: LogIndex): void {
    invariant(index <= this.#commit, `applied ${index} is above commit ${this.#commit}`);
    this.#applied = maxIndex(this.#applied, index);
  }

  /** Entries that are not on disk. */
  unstable(): readonly Entry[] {
    return this.#entries.slice(plus(this.#stable, 1) - this.first);
  }

  /** Committed entries that wait to be applied, about `bytesMax` at most. */
  unapplied(bytesMax: number): readonly Entry[] {
    if (this.#applied === this.#commit) return [];
    return this.slice(plus(this.#applied, 1), bytesMax, this.#commit);
  }

  /**
   * Describes a snapshot of the state as of `index`: with the configuration in force at `index`, since one that
   * came later may yet be dropped (R15).
   */
  describe(index: LogIndex, data: Uint8Array): Snapshot {
    const term = this.termAt(index);
    invariant(term !== undefined && index <= this.#applied, `cannot describe a snapshot at ${index}`);
    return { index, term, configuration: this.configurationAt(index), data };
  }

  /** Replaces the beginning of the log by `snapshot`, keeping the last `entriesKept` entries below it. */
  compact(snapshot: Snapshot, entriesKept: number): void {
    if (snapshot.index <= this.#snapshot.index) return;
    invariant(snapshot.index <= this.#applied && this.has(snapshot), `cannot compact to ${snapshot.index}`);
    const index = maxIndex(this.#base.index, toIndex(snapshot.index - entriesKept));
    const base = { index, term: this.termAt(index) as Term };
    this.#entries = this.#entries.slice(plus(index, 1) - this.first);
    this.#base = base;
    this.#snapshot = snapshot;
    this.#rebuildConfigurations();
  }

  /** Forgets everything in favour of `snapshot`, also later entries and configurations (R14). */
  restore(snapshot: Snapshot): void {
    invariant(snapshot.index > this.#commit, `snapshot ${snapshot.index} is behind commit ${this.#commit}`);
    this.#snapshot = snapshot;
    this.#base = { index: snapshot.index, term: snapshot.term };
    this.#entries = [];
    this.#stable = snapshot.index;
    this.#commit = snapshot.index;
    this.#applied = snapshot.index;
    this.#rebuildConfigurations();
  }

  #rebuildConfigurations(): void {
    const { index, configuration } = this.#snapshot;
    this.#configurations = [{ index, configuration }];
    for (const entry of this.#entries) if (entry.index > index) this.#noteConfiguration(entry);
  }

  #noteConfiguration(entry: Entry): void {
    if (entry.type === 'config') this.#configurations.push(entry);
  }
}

/**
 * The log's beginning and entries after a start. Entries below the snapshot are kept for members that lag; the
 * first one only lends its position. A log that contradicts the snapshot predates it and is dropped.
 */
function joinLog(snapshot: Snapshot, entries: readonly Entry[]): { base: Position; entries: Entry[] } {
  const empty = { base: { index: snapshot.index, term: snapshot.term }, entries: [] };
  const first = entries[0];
  if (first === undefined) return empty;
  invariant(
    first.index <= snapshot.index + 1,
    `a gap between snapshot ${snapshot.index} and entry ${first.index}`,
  );
  entries.forEach((entry, i) => {
    invariant(entry.index === first.index + i, `a gap in the log before entry ${entry.index}`);
  });
  if (first.index === snapshot.index + 1) return { base: empty.base, entries: [...entries] };
  if (entries[snapshot.index - first.index]?.term !== snapshot.term) return empty;
  return { base: { index: first.index, term: first.term }, entries: entries.slice(1) };
}
