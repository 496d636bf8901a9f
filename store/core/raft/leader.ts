import { advanceCommit, appendOwn } from './commit.ts';
import type { Message } from './messages.ts';
import { isQuorum } from './quorum.ts';
import { beginReads, confirmReads, handleReadIndex, sendHeartbeats } from './read-index.ts';
import { ReadRounds } from './read-rounds.ts';
import {
  handleAppendRejection,
  handleAppendResponse,
  handleHeartbeatResponse,
  handleSnapshotResponse,
  replicate,
  trackMembers,
} from './replication.ts';
import type { Leader } from './role.ts';
import { becomeFollower, type RaftState, resetElection } from './state.ts';
import { continueTransfer, tickTransfer } from './transfer.ts';
import { entryBytes, invariant, plus } from './types.ts';

/** Takes office: an entry of the own term first, since only such an entry commits the earlier ones (R6). */
export function becomeLeader(raft: RaftState): void {
  const uncommitted = raft.log.slice(plus(raft.log.commit, 1), Number.POSITIVE_INFINITY);
  const leader: Leader = {
    type: 'leader',
    progress: new Map(),
    reads: new ReadRounds(),
    uncommittedBytes: uncommitted.reduce((sum, entry) => sum + entryBytes(entry), 0),
    ticksSinceHeartbeat: 0,
    ticksSinceQuorumCheck: 0,
    transfer: undefined,
  };
  raft.role = leader;
  resetElection(raft);
  trackMembers(raft, leader);
  appendOwn(raft, leader, { type: 'no-op' });
}

/** Messages of this term to its leader. */
export function stepLeader(raft: RaftState, leader: Leader, message: Message): void {
  switch (message.type) {
    case 'append-response':
      if (!handleAppendResponse(raft, leader, message)) return;
      advanceCommit(raft, leader);
      continueTransfer(raft, leader);
      return;
    case 'append-rejection':
      handleAppendRejection(raft, leader, message);
      return;
    case 'heartbeat-response':
      handleHeartbeatResponse(raft, leader, message);
      confirmReads(raft, leader);
      return;
    case 'snapshot-response':
      handleSnapshotResponse(leader, message);
      return;
    case 'read-index':
      handleReadIndex(raft, leader, message);
      return;
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      invariant(false, `members ${raft.options.id} and ${message.from} both lead term ${raft.term}`);
      return;
    case 'pre-vote':
    case 'pre-vote-response':
    case 'vote':
    case 'vote-response':
    case 'timeout-now':
    case 'read-index-response':
    case 'stale-term':
      return;
  }
}

export function tickLeader(raft: RaftState, leader: Leader): void {
  tickTransfer(raft, leader);
  leader.ticksSinceQuorumCheck++;
  if (leader.ticksSinceQuorumCheck >= raft.options.electionTimeoutTicks && !checkQuorum(raft, leader)) return;
  leader.ticksSinceHeartbeat++;
  if (leader.ticksSinceHeartbeat >= raft.options.heartbeatTicks) sendHeartbeats(raft, leader);
}

/** Cuts the batch: what gathered since the last Ready goes out together. */
export function flushLeader(raft: RaftState, leader: Leader): void {
  beginReads(raft, leader);
  replicate(raft, leader);
}

/** CheckQuorum (thesis 6.2): a leader that heard no quorum for an election timeout steps down. */
function checkQuorum(raft: RaftState, leader: Leader): boolean {
  leader.ticksSinceQuorumCheck = 0;
  const isHeard = (member: number) =>
    member === raft.options.id || leader.progress.get(member)?.isActive === true;
  if (!isQuorum(raft.log.current.configuration, isHeard)) {
    becomeFollower(raft, raft.term, undefined);
    return false;
  }
  for (const progress of leader.progress.values()) progress.isActive = false;
  return true;
}
