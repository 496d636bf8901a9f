import { isTermSettled } from './commit.ts';
import type { MessageOf, ReadId } from './messages.ts';
import { quorumValue } from './quorum.ts';
import type { Leader } from './role.ts';
import { dropReads, leaderOf, type RaftState, send } from './state.ts';
import type { LogIndex } from './types.ts';

/**
 * Linearizable reads without log entries (ReadIndex, thesis 6.4). No clock takes part: each read waits for a
 * quorum's answer to a heartbeat sent after it arrived, so that neither a deposed nor a paused leader can
 * confirm it (R9, R10).
 */

export type ReadOutcome =
  | { readonly type: 'asked'; readonly id: ReadId }
  | { readonly type: 'refused'; readonly reason: 'no-leader' | 'too-many-reads' };

/** Asks the leader, which may be this node, up to where to apply before a read is served. */
export function askRead(raft: RaftState): ReadOutcome {
  const leader = leaderOf(raft);
  if (leader === undefined) return { type: 'refused', reason: 'no-leader' };
  if (raft.readsAsked.size >= raft.options.pendingReadsMax)
    return { type: 'refused', reason: 'too-many-reads' };
  raft.readSequence++;
  const { id: member, incarnation } = raft.options;
  const id = { member, incarnation, sequence: raft.readSequence };
  raft.readsAsked.set(id.sequence, { id, ticks: 0 });
  if (raft.role.type === 'leader') raft.role.reads.add(id);
  else send(raft, leader, { type: 'read-index', id });
  return { type: 'asked', id };
}

/** A member's request; beyond the limit it is left to time out at the member. */
export function handleReadIndex(raft: RaftState, leader: Leader, { id }: MessageOf<'read-index'>): void {
  if (leader.reads.size < raft.options.pendingReadsMax) leader.reads.add(id);
}

/** The leader's answer. One to an earlier life of this node, or a second one, finds no request. */
export function handleReadIndexResponse(
  raft: RaftState,
  { id, index }: MessageOf<'read-index-response'>,
): void {
  if (id.member !== raft.options.id || id.incarnation !== raft.options.incarnation) return;
  if (raft.readsAsked.delete(id.sequence)) raft.readResults.push({ type: 'confirmed', id, index });
}

/** Begins a round for the reads that wait, once the term's commit index is known to be current (R7). */
export function beginReads(raft: RaftState, leader: Leader): void {
  if (!leader.reads.isWaiting || !isTermSettled(raft)) return;
  leader.reads.begin(raft.log.commit);
  const own = leader.progress.get(raft.options.id);
  if (own !== undefined) own.readRound = leader.reads.latest;
  sendHeartbeats(raft, leader);
  confirmReads(raft, leader);
}

/** Answers the rounds that a quorum of the latest configuration confirmed. */
export function confirmReads(raft: RaftState, leader: Leader): void {
  const roundOf = (member: number) => leader.progress.get(member)?.readRound ?? 0;
  const confirmed = quorumValue(raft.log.current.configuration, roundOf);
  for (const { ids, index } of leader.reads.confirm(confirmed)) {
    for (const id of ids) answerRead(raft, id, index);
  }
}

/** Reads that got no answer within two election timeouts are dropped: their request or answer was lost. */
export function tickReads(raft: RaftState): void {
  for (const read of raft.readsAsked.values()) read.ticks++;
  dropReads(raft, 'timed-out', 2 * raft.options.electionTimeoutTicks);
}

export function sendHeartbeats(raft: RaftState, leader: Leader): void {
  leader.ticksSinceHeartbeat = 0;
  for (const [member, progress] of leader.progress) {
    if (member === raft.options.id) continue;
    // Never above what the member confirmed: behind it its log may still be another one.
    const commit = Math.min(progress.match, raft.log.commit) as LogIndex;
    send(raft, member, { type: 'heartbeat', commit, round: leader.reads.latest });
  }
}

function answerRead(raft: RaftState, id: ReadId, index: LogIndex): void {
  if (id.member !== raft.options.id) {
    send(raft, id.member, { type: 'read-index-response', id, index });
  } else if (raft.readsAsked.delete(id.sequence)) {
    raft.readResults.push({ type: 'confirmed', id, index });
  }
}
