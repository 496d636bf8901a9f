/** The words of the Raft paper (Ongaro & Ousterhout 2014) and thesis (Ongaro 2014) as types. */

/** A leader's time in office, from 1; 0 is before the first. */
export type Term = number & { readonly unit: 'Term' };
/** A place in the log, from 1; 0 is before the first entry. */
export type LogIndex = number & { readonly unit: 'LogIndex' };
/** A member's number, from 1. Never reused, so a replaced disk is another member. */
export type MemberId = number;

export const toTerm = (value: number): Term => value as Term;
export const toIndex = (value: number): LogIndex => value as LogIndex;
export const plus = (index: LogIndex, count: number): LogIndex => (index + count) as LogIndex;
export const minIndex = (a: LogIndex, b: LogIndex): LogIndex => (a < b ? a : b);
export const maxIndex = (a: LogIndex, b: LogIndex): LogIndex => (a > b ? a : b);

/** An entry's identity: two logs that share one agree on everything before it (Log Matching, paper section 5.3). */
export type Position = { readonly index: LogIndex; readonly term: Term };

/**
 * Who votes. Outside a change `votersOutgoing` is empty; in joint consensus (thesis 4.3) every decision needs a
 * majority of `voters` and one of `votersOutgoing`. Learners receive the log and decide nothing; a voter that is
 * being demoted stands in `learners` already. Arrays are sorted and free of duplicates.
 */
export type Configuration = {
  readonly voters: readonly MemberId[];
  readonly votersOutgoing: readonly MemberId[];
  readonly learners: readonly MemberId[];
};

/** A log entry. A `config` entry holds the whole configuration, so that dropping it restores the one before. */
export type Entry = Position &
  (
    | { readonly type: 'no-op' }
    | { readonly type: 'command'; readonly data: Uint8Array }
    | { readonly type: 'config'; readonly configuration: Configuration }
  );

/** What must survive a crash besides log and snapshot. `commit` is a hint only: it need not be fsync'd. */
export type HardState = {
  readonly term: Term;
  readonly vote: MemberId | undefined;
  readonly commit: LogIndex;
};

/** What a snapshot stands for: everything up to `index`, and the configuration as of `index`, not a later one. */
export type SnapshotMeta = Position & { readonly configuration: Configuration };
export type Snapshot = SnapshotMeta & { readonly data: Uint8Array };

/** What the shell read from disk. `entries` has no gaps and begins at or below `snapshot.index + 1`. */
export type PersistedState = {
  readonly hardState: HardState;
  readonly snapshot: Snapshot;
  readonly entries: readonly Entry[];
  /** Up to where the state machine is durable by itself; the snapshot's index where it is rebuilt at each start. */
  readonly applied: LogIndex;
};

/** A broken invariant: the node must stop, since going on could lose what was promised. */
export class RaftInvariantError extends Error {
  override readonly name = 'RaftInvariantError';
}

export function invariant(holds: boolean, message: string): asserts holds {
  if (!holds) throw new RaftInvariantError(message);
}

const ENTRY_OVERHEAD_BYTES = 16;

/** What an entry counts for in every limit on bytes. */
export function entryBytes(entry: Entry): number {
  switch (entry.type) {
    case 'no-op':
      return ENTRY_OVERHEAD_BYTES;
    case 'command':
      return ENTRY_OVERHEAD_BYTES + entry.data.length;
    case 'config': {
      const { voters, votersOutgoing, learners } = entry.configuration;
      return ENTRY_OVERHEAD_BYTES + 8 * (voters.length + votersOutgoing.length + learners.length);
    }
  }
}
