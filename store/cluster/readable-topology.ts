import {
  type Configuration,
  type Entry,
  type LogIndex,
  maxIndex,
  type Snapshot,
  type Term,
  toIndex,
  toTerm,
} from '../core/raft/types.ts';
import { applyCommand } from '../core/topology/apply.ts';
import { decodeCommand, decodeState } from '../core/topology/codec.ts';
import type { TopologyCommand } from '../core/topology/command.ts';
import type { TopologyState } from '../core/topology/types.ts';
import { asMember, type DamagedRaft, type LoadedRaft } from '../storage/raft-store/load-raft.ts';

/** A command that this member does not know to be committed: whoever sent it may have been told that it is, or not. */
export type UncertainChange = {
  readonly index: LogIndex;
  readonly term: Term;
  readonly command: TopologyCommand;
  /** False where the topology refuses it, or holds it already. */
  readonly hasEffect: boolean;
};

export type LogPosition = {
  readonly snapshot: LogIndex;
  /** The snapshot and the entries up to here can be read. */
  readonly readableTo: LogIndex;
  /** The end of the log, as far as it is known; above `readableTo` where the log is damaged. */
  readonly last: LogIndex;
  /** The highest that is known here. */
  readonly term: Term;
  /** At least so much is committed: a member hears of a commit after it happened. */
  readonly committed: LogIndex;
  readonly damage: string | undefined;
};

/** What the log of a stopped member says, when all that can be read of it is taken, committed or not. */
export type ReadableTopology = {
  readonly topology: TopologyState;
  readonly configuration: Configuration;
  readonly position: LogPosition;
  readonly uncertain: readonly UncertainChange[];
};

/**
 * The snapshot and every entry that follows it without a gap. Undefined where no snapshot of a topology can be read.
 * Throws TopologyFormatError where a newer version wrote it.
 */
export function readTopology(loaded: LoadedRaft): ReadableTopology | undefined {
  const log = partsOf(loaded);
  const { snapshot } = log;
  if (snapshot === undefined || snapshot.data.length === 0) return undefined;
  const entries = followers(log.entries, snapshot);
  const position = positionOf(log, snapshot, entries);
  let topology = decodeState(snapshot.data);
  let { configuration } = snapshot;
  const uncertain: UncertainChange[] = [];
  for (const entry of entries) {
    if (entry.type === 'config') configuration = entry.configuration;
    if (entry.type !== 'command') continue;
    const { index, term } = entry;
    const command = decodeCommand(entry.data);
    const outcome = applyCommand(topology, command);
    topology = outcome.state;
    if (index > position.committed)
      uncertain.push({ index, term, command, hasEffect: outcome.type === 'applied' });
  }
  return { topology, configuration, position, uncertain };
}

type LogParts = Omit<DamagedRaft, 'type' | 'reason'> & { readonly damage: string | undefined };

function partsOf(loaded: LoadedRaft): LogParts {
  const log = asMember(loaded);
  if (log.type === 'damaged') return { ...log, damage: log.reason };
  const { hardState, snapshot, entries } = log.state;
  return { hardState, snapshot, entries, lastIndex: entries.at(-1)?.index, damage: undefined };
}

/** Entries that the snapshot has made useless may lie before it. */
function followers(entries: readonly Entry[], snapshot: Snapshot): readonly Entry[] {
  const behind = entries.filter(({ index }) => index > snapshot.index);
  return behind[0]?.index === snapshot.index + 1 ? behind : [];
}

function positionOf(log: LogParts, snapshot: Snapshot, entries: readonly Entry[]): LogPosition {
  const { hardState, lastIndex, damage } = log;
  const committed = maxIndex(snapshot.index, hardState?.commit ?? toIndex(0));
  const readableTo = entries.at(-1)?.index ?? snapshot.index;
  const terms = [hardState?.term ?? 0, snapshot.term, ...log.entries.map(({ term }) => term)];
  return {
    snapshot: snapshot.index,
    readableTo,
    last: [lastIndex ?? toIndex(0), committed, log.entries.at(-1)?.index ?? toIndex(0)].reduce(
      maxIndex,
      readableTo,
    ),
    term: toTerm(terms.reduce((highest, term) => Math.max(highest, term))),
    committed,
    damage,
  };
}
