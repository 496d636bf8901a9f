import type { Configuration, MemberId } from '../../core/raft/types.ts';
import { formatConfiguration } from './format.ts';

const meetings = new Map<string, boolean>();

/** Whether no quorum of `a` is disjoint from one of `b`: tried with every set of members. */
export function doQuorumsMeet(a: Configuration, b: Configuration): boolean {
  const key = `${formatConfiguration(a)} ${formatConfiguration(b)}`;
  const known = meetings.get(key);
  if (known !== undefined) return known;
  const members = [...new Set([a, b].flatMap((one) => [...one.voters, ...one.votersOutgoing]))];
  let doMeet = true;
  for (let bits = 0; bits < 2 ** members.length && doMeet; bits++) {
    const inside = new Set(members.filter((_, i) => (bits >> i) & 1));
    const outside = new Set(members.filter((member) => !inside.has(member)));
    doMeet = !(isQuorumOf(a, inside) && isQuorumOf(b, outside));
  }
  meetings.set(key, doMeet);
  return doMeet;
}

export function isQuorumOf(configuration: Configuration, members: ReadonlySet<MemberId>): boolean {
  const halves = [configuration.voters, configuration.votersOutgoing].filter((half) => half.length > 0);
  return halves.every((half) => half.filter((voter) => members.has(voter)).length * 2 > half.length);
}
