import type { Configuration, MemberId } from '../core/raft/types.ts';
import type { TopologyRefusal } from '../core/topology/command.ts';

/** Why `member` may not be removed now, for the sake of those that would have to vote without it. */
export function removalRefusal(
  member: MemberId,
  { voters }: Configuration,
  isUp: (voter: MemberId) => boolean,
): TopologyRefusal | undefined {
  if (!voters.includes(member)) return undefined;
  const others = voters.filter((voter) => voter !== member);
  if (others.length === 0) {
    const message = `member ${member} is the only voter; wait until another member votes (kvorum cluster status)`;
    return { code: 'LAST_MEMBER', message };
  }
  const up = others.filter(isUp).length;
  const needed = Math.floor(others.length / 2) + 1;
  if (up >= needed) return undefined;
  const message =
    `without member ${member} only ${up} of the other ${others.length} voters are up, and ${needed} are needed; ` +
    'bring a voter back, or wait until another member has taken its vote (kvorum cluster status)';
  return { code: 'QUORUM_AT_RISK', message };
}
