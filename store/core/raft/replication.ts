import { membersOf } from './configuration.ts';
import type { MessageOf } from './messages.ts';
import { Progress } from './progress.ts';
import type { Leader } from './role.ts';
import { type RaftState, send } from './state.ts';
import { type Entry, entryBytes, invariant, type LogIndex, type MemberId, minIndex, plus } from './types.ts';

/** How a leader brings the members' logs up to its own. Sending happens once per Ready, which makes the batches. */

/** Sends to everybody what is due. */
export function replicate(raft: RaftState, leader: Leader): void {
  for (const [member, progress] of leader.progress) {
    if (member === raft.options.id) continue;
    while (sendNext(raft, member, progress));
    sendCommit(raft, member, progress);
  }
}

/** Puts down who receives the log, after a change of the configuration. */
export function trackMembers(raft: RaftState, leader: Leader): void {
  const members = new Set(membersOf(raft.log.current.configuration));
  for (const member of leader.progress.keys()) if (!members.has(member)) leader.progress.delete(member);
  for (const member of members) {
    if (leader.progress.has(member)) continue;
    leader.progress.set(member, new Progress(plus(raft.log.last.index, 1), raft.options));
  }
}

/** What the leader itself has on disk counts like any member's. */
export function noteOwnMatch(raft: RaftState, leader: Leader): void {
  leader.progress.get(raft.options.id)?.accepted(raft.log.stable);
}

/** True where `member` holds more than was known. */
export function handleAppendResponse(
  raft: RaftState,
  leader: Leader,
  message: MessageOf<'append-response'>,
): boolean {
  const progress = leader.progress.get(message.from);
  if (progress === undefined || message.match > raft.log.last.index) return false;
  progress.isActive = true;
  return progress.accepted(message.match);
}

export function handleAppendRejection(
  raft: RaftState,
  leader: Leader,
  message: MessageOf<'append-rejection'>,
): void {
  const progress = leader.progress.get(message.from);
  if (progress === undefined) return;
  progress.isActive = true;
  // Below the hint the member's terms are at most the hint's: skip every entry of a later term at once.
  progress.rejected(message.rejected, raft.log.agreementBelow(message.hint).index);
}

export function handleHeartbeatResponse(
  raft: RaftState,
  leader: Leader,
  message: MessageOf<'heartbeat-response'>,
): void {
  const progress = leader.progress.get(message.from);
  if (progress === undefined) return;
  progress.isActive = true;
  progress.readRound = Math.max(progress.readRound, message.round);
  if (progress.flow.type !== 'replicate') progress.flow.isWaiting = false;
  else if (progress.match < raft.log.last.index) findLoss(raft, message.from, progress);
}

/**
 * Messages of the pipeline may have been lost: an append behind the last one sent finds out. Where that place is
 * compacted away meanwhile, only a snapshot helps (R28).
 */
function findLoss(raft: RaftState, member: MemberId, progress: Progress): void {
  if (isCompacted(raft, progress)) progress.startSnapshot(raft.log.snapshot);
  else sendAppend(raft, member, progress, []);
}

/** Whether the entry before the next one to send is not held any more. */
function isCompacted(raft: RaftState, progress: Progress): boolean {
  return raft.log.termAt(plus(progress.next, -1)) === undefined;
}

export function handleSnapshotResponse(leader: Leader, message: MessageOf<'snapshot-response'>): void {
  const progress = leader.progress.get(message.from);
  if (progress === undefined) return;
  progress.isActive = true;
  const { flow } = progress;
  if (flow.type !== 'snapshot' || flow.snapshot.index !== message.snapshot) return;
  if (message.offset > flow.snapshot.data.length) return;
  flow.offset = message.offset;
  flow.isWaiting = false;
}

/** Sends the next message to `member`; false where nothing is due. */
function sendNext(raft: RaftState, member: MemberId, progress: Progress): boolean {
  const { flow } = progress;
  if (flow.type === 'snapshot') return sendChunk(raft, member, progress);
  const hasMore = progress.next <= raft.log.last.index;
  if (flow.type === 'replicate' ? !hasMore || flow.window.isFull : flow.isWaiting) return false;
  if (isCompacted(raft, progress)) {
    progress.startSnapshot(raft.log.snapshot);
    return sendChunk(raft, member, progress);
  }
  const entries = hasMore ? raft.log.slice(progress.next, raft.options.appendBytesMax) : [];
  sendAppend(raft, member, progress, entries);
  return true;
}

/** Tells a member that is up to date of a new commit index. */
function sendCommit(raft: RaftState, member: MemberId, progress: Progress): void {
  if (progress.flow.type !== 'replicate' || progress.next <= raft.log.last.index) return;
  if (progress.commitSent < raft.log.commit) sendAppend(raft, member, progress, []);
}

function sendAppend(raft: RaftState, member: MemberId, progress: Progress, entries: readonly Entry[]): void {
  const { log } = raft;
  const index = plus(progress.next, -1);
  const term = log.termAt(index);
  invariant(term !== undefined, `no append can follow ${index}, which is compacted`);
  const { commit } = log;
  send(raft, member, { type: 'append', previous: { index, term }, entries, commit });
  const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
  progress.commitSent = minIndex(commit, plus(index, entries.length)) as LogIndex;
  progress.sent(plus(index, entries.length), bytes);
}

function sendChunk(raft: RaftState, member: MemberId, progress: Progress): boolean {
  const { flow } = progress;
  if (flow.type !== 'snapshot' || flow.isWaiting) return false;
  const { data, ...meta } = flow.snapshot;
  const chunk = data.subarray(flow.offset, flow.offset + raft.options.snapshotChunkBytes);
  send(raft, member, { type: 'snapshot', meta, offset: flow.offset, bytesTotal: data.length, data: chunk });
  flow.isWaiting = true;
  return true;
}
