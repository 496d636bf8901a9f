import type { Leader } from './role.ts';
import { type RaftState, send } from './state.ts';
import type { MemberId } from './types.ts';

/** Leadership transfer (thesis 3.10): refuse new work, bring the target up to date, tell it to campaign. */

export type TransferOutcome =
  | { readonly type: 'started' }
  | {
      readonly type: 'refused';
      readonly reason: 'not-leader' | 'not-a-voter' | 'already-leader' | 'transferring';
    };

export function startTransfer(raft: RaftState, leader: Leader, to: MemberId): TransferOutcome {
  if (leader.transfer !== undefined) return { type: 'refused', reason: 'transferring' };
  if (to === raft.options.id) return { type: 'refused', reason: 'already-leader' };
  if (!raft.log.current.configuration.voters.includes(to)) return { type: 'refused', reason: 'not-a-voter' };
  leader.transfer = { to, ticks: 0, isAsked: false };
  continueTransfer(raft, leader);
  return { type: 'started' };
}

/** Asks the target to campaign as soon as it holds the whole log. */
export function continueTransfer(raft: RaftState, leader: Leader): void {
  const { transfer } = leader;
  if (transfer === undefined || transfer.isAsked) return;
  if (leader.progress.get(transfer.to)?.match !== raft.log.last.index) return;
  transfer.isAsked = true;
  send(raft, transfer.to, { type: 'timeout-now' });
}

/** A target that did not take over within an election timeout is given up, and proposals are taken again. */
export function tickTransfer(raft: RaftState, leader: Leader): void {
  if (leader.transfer === undefined) return;
  leader.transfer.ticks++;
  const isMember = leader.progress.has(leader.transfer.to);
  if (!isMember || leader.transfer.ticks >= raft.options.electionTimeoutTicks) leader.transfer = undefined;
}
