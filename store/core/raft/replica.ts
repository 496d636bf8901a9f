import type { MessageOf } from './messages.ts';
import { SnapshotAssembly } from './snapshot-assembly.ts';
import { type RaftState, send } from './state.ts';
import { minIndex, plus } from './types.ts';

/** How a follower's log follows the leader's. Answers leave with the Ready that persists what they promise. */

/** AppendEntries (paper section 5.3). */
export function handleAppend(
  raft: RaftState,
  { from, previous, entries, commit }: MessageOf<'append'>,
): void {
  const { log } = raft;
  if (previous.index < log.commit) {
    // An old message; what is committed equals the leader's log anyway.
    send(raft, from, { type: 'append-response', match: log.commit });
  } else if (log.has(previous)) {
    const match = plus(previous.index, entries.length);
    log.merge(previous, entries);
    log.commitTo(minIndex(commit, match));
    send(raft, from, { type: 'append-response', match });
  } else {
    send(raft, from, {
      type: 'append-rejection',
      rejected: previous.index,
      hint: log.agreementBelow(previous),
    });
  }
}

/** The leader sends no commit index above what this node confirmed to hold. */
export function handleHeartbeat(raft: RaftState, { from, commit, round }: MessageOf<'heartbeat'>): void {
  raft.log.commitTo(commit);
  send(raft, from, { type: 'heartbeat-response', round });
}

/** InstallSnapshot (paper section 7): one chunk. */
export function handleSnapshot(raft: RaftState, chunk: MessageOf<'snapshot'>): void {
  const { log } = raft;
  if (isHeld(raft, chunk)) {
    raft.assembly = undefined;
    send(raft, chunk.from, { type: 'append-response', match: log.commit });
    return;
  }
  if (chunk.bytesTotal > raft.options.snapshotBytesMax) return;
  if (raft.assembly?.isOf(chunk) !== true) raft.assembly = new SnapshotAssembly(chunk);
  const snapshot = raft.assembly.add(chunk);
  if (snapshot === undefined) {
    const { offset } = raft.assembly;
    send(raft, chunk.from, { type: 'snapshot-response', snapshot: chunk.meta.index, offset });
    return;
  }
  raft.assembly = undefined;
  log.restore(snapshot);
  send(raft, chunk.from, { type: 'append-response', match: snapshot.index });
}

/** Whether the log holds all that the snapshot stands for; entries behind it then stay. */
function isHeld({ log }: RaftState, { meta }: MessageOf<'snapshot'>): boolean {
  if (meta.index <= log.commit) return true;
  if (!log.has(meta)) return false;
  log.commitTo(meta.index);
  return true;
}
