import { emptyState } from '../core/raft/bootstrap.ts';
import { configurationOf } from '../core/raft/configuration.ts';
import { type PersistedState, toIndex, toTerm } from '../core/raft/types.ts';
import { encodeState } from '../core/topology/codec.ts';
import { createTopology, type GenesisOptions } from '../core/topology/genesis.ts';

/**
 * The log that a new cluster begins with: a snapshot of its first topology, with one voter. A snapshot rather than an
 * entry, so that there is no moment in which the cluster exists and its topology does not.
 */
export function firstState(options: GenesisOptions): PersistedState {
  const position = { index: toIndex(1), term: toTerm(1) };
  const data = encodeState(createTopology(options));
  return {
    hardState: { term: position.term, vote: undefined, commit: position.index },
    snapshot: { ...position, configuration: configurationOf([1]), data },
    entries: [],
    applied: position.index,
  };
}

/** The log of a member that has a number and nothing else yet: it waits for the leader. */
export const newMemberState = emptyState;
