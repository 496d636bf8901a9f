import type { Progress } from './progress.ts';
import type { ReadRounds } from './read-rounds.ts';
import type { MemberId } from './types.ts';

/** What a node is. State that belongs to one role lives in it and ends with it. */
export type Role = Follower | PreCandidate | Candidate | Leader;

/** Learners are followers too: they never time out, since they are no voters. */
export type Follower = { readonly type: 'follower'; readonly leader: MemberId | undefined };

/** Asks whether an election could be won. Knows no leader, else its own vote would protect one (R11). */
export type PreCandidate = { readonly type: 'pre-candidate'; readonly votes: Map<MemberId, boolean> };

export type Candidate = { readonly type: 'candidate'; readonly votes: Map<MemberId, boolean> };

export type Leader = {
  readonly type: 'leader';
  /** By member of the configuration, itself included. */
  readonly progress: Map<MemberId, Progress>;
  readonly reads: ReadRounds;
  uncommittedBytes: number;
  ticksSinceHeartbeat: number;
  ticksSinceQuorumCheck: number;
  transfer: { readonly to: MemberId; ticks: number; isAsked: boolean } | undefined;
};
