import { startElection } from './candidate.ts';
import type { Message } from './messages.ts';
import { handleReadIndexResponse } from './read-index.ts';
import { handleAppend, handleHeartbeat, handleSnapshot } from './replica.ts';
import type { RaftState } from './state.ts';

/** Messages of this term to one who follows its sender, or who knows no leader yet. */
export function stepFollower(raft: RaftState, message: Message): void {
  switch (message.type) {
    case 'append':
      handleAppend(raft, message);
      return;
    case 'heartbeat':
      handleHeartbeat(raft, message);
      return;
    case 'snapshot':
      handleSnapshot(raft, message);
      return;
    case 'timeout-now':
      // The leader asks for it: no pre-vote, and no protection of that leader.
      startElection(raft, true);
      return;
    case 'read-index-response':
      handleReadIndexResponse(raft, message);
      return;
    default:
      return;
  }
}
