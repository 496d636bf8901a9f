import { leaderOf, type RaftState } from './state.ts';
import type { Configuration, LogIndex, MemberId, Position, Term } from './types.ts';

/** What a node shows of itself, for operators, metrics and checkers. */
export type RaftStatus = {
  readonly id: MemberId;
  readonly role: 'follower' | 'pre-candidate' | 'candidate' | 'leader';
  readonly term: Term;
  readonly vote: MemberId | undefined;
  readonly leader: MemberId | undefined;
  readonly first: LogIndex;
  readonly last: Position;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly snapshot: LogIndex;
  readonly configuration: Configuration;
  readonly configurationIndex: LogIndex;
  /** By member, on the leader only. */
  readonly progress: ReadonlyMap<MemberId, MemberStatus>;
};

export type MemberStatus = {
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly flow: 'probe' | 'replicate' | 'snapshot';
  readonly isActive: boolean;
};

export function describeStatus(raft: RaftState): RaftStatus {
  const { log, term, vote } = raft;
  return {
    id: raft.options.id,
    role: raft.role.type,
    term,
    vote,
    leader: leaderOf(raft),
    first: log.first,
    last: { index: log.last.index, term: log.last.term },
    commit: log.commit,
    applied: log.applied,
    snapshot: log.snapshot.index,
    configuration: log.current.configuration,
    configurationIndex: log.current.index,
    progress: describeProgress(raft),
  };
}

function describeProgress({ role }: RaftState): ReadonlyMap<MemberId, MemberStatus> {
  const members = new Map<MemberId, MemberStatus>();
  if (role.type !== 'leader') return members;
  for (const [member, { match, next, flow, isActive }] of role.progress) {
    members.set(member, { match, next, flow: flow.type, isActive });
  }
  return members;
}
