import { isJoint, isVoter, leaveJoint } from './configuration.ts';
import { quorumValue } from './quorum.ts';
import { noteOwnMatch, trackMembers } from './replication.ts';
import type { Leader } from './role.ts';
import { becomeFollower, type RaftState, send } from './state.ts';
import { type Configuration, type Entry, entryBytes, type LogIndex, plus, toIndex } from './types.ts';

/** How a leader appends to its log and decides what is committed. */

export type EntryContent =
  | { readonly type: 'no-op' }
  | { readonly type: 'command'; readonly data: Uint8Array }
  | { readonly type: 'config'; readonly configuration: Configuration };

/** Appends to the leader's log; a configuration is in force from here on (thesis 4.1). */
export function appendOwn(raft: RaftState, leader: Leader, content: EntryContent): LogIndex {
  const index = plus(raft.log.last.index, 1);
  const entry: Entry = { ...content, index, term: raft.term };
  raft.log.append([entry]);
  leader.uncommittedBytes += entryBytes(entry);
  if (content.type === 'config') trackMembers(raft, leader);
  return index;
}

/** Whether an entry of this term is committed: only then the commit index covers all earlier terms (R6, R7). */
export function isTermSettled(raft: RaftState): boolean {
  return raft.log.termAt(raft.log.commit) === raft.term;
}

/**
 * Raises the commit index to what a quorum of the latest configuration has on disk, and only by an entry of the
 * own term: an older one on a majority may still be overwritten (paper figure 8, R4).
 */
export function advanceCommit(raft: RaftState, leader: Leader): void {
  const { log } = raft;
  noteOwnMatch(raft, leader);
  const matchOf = (member: number) => leader.progress.get(member)?.match ?? 0;
  const reached = toIndex(quorumValue(log.current.configuration, matchOf));
  if (reached <= log.commit || log.termAt(reached) !== raft.term) return;
  for (const entry of log.slice(plus(log.commit, 1), Number.POSITIVE_INFINITY, reached)) {
    leader.uncommittedBytes -= entryBytes(entry);
  }
  log.commitTo(reached);
  finishChange(raft, leader);
}

/** Once a joint configuration is committed the leader leaves it; once it removed itself it steps down. */
function finishChange(raft: RaftState, leader: Leader): void {
  const { index, configuration } = raft.log.current;
  if (index > raft.log.commit) return;
  if (isJoint(configuration)) {
    appendOwn(raft, leader, { type: 'config', configuration: leaveJoint(configuration) });
    advanceCommit(raft, leader);
  } else if (!isVoter(configuration, raft.options.id)) {
    handOver(raft, leader);
  }
}

/** A leader that is no voter any more hands over to the voter that is furthest (thesis 4.2.2). */
function handOver(raft: RaftState, leader: Leader): void {
  const { voters } = raft.log.current.configuration;
  const matchOf = (member: number) => leader.progress.get(member)?.match ?? 0;
  const heir = voters.reduce((best, voter) => (matchOf(voter) > matchOf(best) ? voter : best));
  send(raft, heir, { type: 'timeout-now' });
  becomeFollower(raft, raft.term, undefined);
}
