import { NO_SNAPSHOT } from './log.ts';
import { type Configuration, type PersistedState, toIndex, toTerm } from './types.ts';

/** The state of a member that has nothing yet: it waits for a leader, and cannot campaign. */
export function emptyState(): PersistedState {
  const hardState = { term: toTerm(0), vote: undefined, commit: toIndex(0) };
  return { hardState, snapshot: NO_SNAPSHOT, entries: [], applied: toIndex(0) };
}

/**
 * The state that the first members of a cluster persist before they start, the same on each: a committed first
 * entry that holds the configuration, so that later members learn it from the log like everything else.
 */
export function bootstrapState(configuration: Configuration): PersistedState {
  const position = { index: toIndex(1), term: toTerm(1) };
  return {
    hardState: { term: position.term, vote: undefined, commit: position.index },
    snapshot: NO_SNAPSHOT,
    entries: [{ type: 'config', ...position, configuration }],
    applied: toIndex(0),
  };
}
