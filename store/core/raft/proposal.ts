import { appendOwn, isTermSettled } from './commit.ts';
import { type Change, enterChange } from './configuration.ts';
import type { Leader } from './role.ts';
import { leaderOf, type RaftState } from './state.ts';
import type { LogIndex, MemberId, Term } from './types.ts';

/**
 * What a proposal came to. `refused` is definite: nothing was appended, now or later (R25). `appended` is not an
 * outcome: it is committed once the entry applied at `index` is of `term`, and lost once it is of another. The
 * core never forwards a proposal, so that none can go round (R26).
 */
export type ProposeOutcome =
  | { readonly type: 'appended'; readonly index: LogIndex; readonly term: Term }
  | ({ readonly type: 'refused' } & Refusal);

export type Refusal =
  | { readonly reason: 'not-leader'; readonly leader: MemberId | undefined }
  | { readonly reason: 'transferring'; readonly to: MemberId }
  | { readonly reason: 'too-large'; readonly bytes: number; readonly bytesMax: number }
  | { readonly reason: 'overloaded'; readonly uncommittedBytes: number; readonly bytesMax: number };

export type ChangeOutcome =
  | ProposeOutcome
  | ({ readonly type: 'refused' } & (
      | { readonly reason: 'term-not-settled' }
      | { readonly reason: 'change-in-progress'; readonly index: LogIndex }
      | { readonly reason: 'invalid'; readonly detail: string }
      | { readonly reason: 'learner-behind'; readonly member: MemberId; readonly entriesMissing: number }
    ));

export function proposeCommand(raft: RaftState, data: Uint8Array): ProposeOutcome {
  const leader = raft.role;
  if (leader.type !== 'leader') return refuseAsFollower(raft);
  const { commandBytesMax, uncommittedBytesMax } = raft.options;
  if (leader.transfer !== undefined)
    return { type: 'refused', reason: 'transferring', to: leader.transfer.to };
  if (data.length > commandBytesMax) {
    return { type: 'refused', reason: 'too-large', bytes: data.length, bytesMax: commandBytesMax };
  }
  const { uncommittedBytes } = leader;
  if (uncommittedBytes + data.length > uncommittedBytesMax) {
    return { type: 'refused', reason: 'overloaded', uncommittedBytes, bytesMax: uncommittedBytesMax };
  }
  return { type: 'appended', index: appendOwn(raft, leader, { type: 'command', data }), term: raft.term };
}

/**
 * One change of configuration at a time, and only after a commit in the own term: two changes of different
 * leaders that do not know of each other could lead to disjoint majorities (Ongaro 2015, R5).
 */
export function proposeChange(raft: RaftState, changes: readonly Change[]): ChangeOutcome {
  const leader = raft.role;
  if (leader.type !== 'leader') return refuseAsFollower(raft);
  if (leader.transfer !== undefined)
    return { type: 'refused', reason: 'transferring', to: leader.transfer.to };
  if (!isTermSettled(raft)) return { type: 'refused', reason: 'term-not-settled' };
  const { index, configuration } = raft.log.current;
  if (index > raft.log.commit) return { type: 'refused', reason: 'change-in-progress', index };
  const result = enterChange(configuration, changes);
  if (result.type === 'invalid') return { type: 'refused', reason: 'invalid', detail: result.detail };
  const behind = findLearnerBehind(raft, leader, changes);
  if (behind !== undefined) return { type: 'refused', reason: 'learner-behind', ...behind };
  const content = { type: 'config', configuration: result.configuration } as const;
  return { type: 'appended', index: appendOwn(raft, leader, content), term: raft.term };
}

function refuseAsFollower(raft: RaftState): ProposeOutcome {
  return { type: 'refused', reason: 'not-leader', leader: leaderOf(raft) };
}

/** A learner that would be promoted too early: until it has caught up a quorum could lack a working voter. */
function findLearnerBehind(raft: RaftState, leader: Leader, changes: readonly Change[]) {
  for (const { type, member } of changes) {
    if (type !== 'promote') continue;
    const entriesMissing = raft.log.last.index - (leader.progress.get(member)?.match ?? 0);
    if (entriesMissing > raft.options.promotionLagEntriesMax) return { member, entriesMissing };
  }
  return undefined;
}
