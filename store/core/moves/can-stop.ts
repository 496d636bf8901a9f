import { majority } from '../quorum/quorum-sizes.ts';
import { holdingSets } from '../quorum/replica-sets.ts';
import type { MemberId } from '../raft/types.ts';
import type { Partition, TopologyState } from '../topology/types.ts';
import { liveReplicas } from './plan-moves.ts';
import { replicaSetsOf } from './rules.ts';

export type StopFacts = {
  isUp(member: MemberId): boolean;
  /** Who votes on the topology. */
  readonly voters: readonly MemberId[];
};

export type StopVerdict =
  | { readonly canStop: true }
  | {
      readonly canStop: false;
      /** In words, for an operator at night. */
      readonly reasons: readonly string[];
      /** Those that would be left without a quorum. */
      readonly partitions: readonly number[];
    };

const SHOWN_MAX = 5;

/**
 * Whether a member can be stopped, beside all that are down now, and every partition that it holds keeps a majority of each set whose
 * quorums count (docs/quorum.md), and the topology its voters. What has no quorum without it either is a no too: it may be what is
 * waited for.
 */
export function canStop(state: TopologyState, member: MemberId, facts: StopFacts): StopVerdict {
  const short = state.partitions.flatMap((partition, number): Short[] => {
    const what = shortSetOf(state, facts, partition, member);
    return what === undefined ? [] : [{ number, ...what }];
  });
  const votersReason = reasonOfVoters(state, member, facts);
  if (short.length === 0 && votersReason === undefined) return { canStop: true };
  const ofPartitions = [...Map.groupBy(short.toSorted(byUp), ({ what }) => what)].map(
    ([what, group]) => `${someOf(group.map(({ number }) => number))} would have ${what}`,
  );
  const reasons = [...ofPartitions, ...(votersReason === undefined ? [] : [votersReason])];
  return { canStop: false, reasons, partitions: short.map(({ number }) => number) };
}

type Short = { readonly number: number; readonly up: number; readonly what: string };
const byUp = (a: Short, b: Short): number => a.up - b.up || a.number - b.number;

/** The set of the partition that would be left with the fewest, of those that would be left without a majority. */
function shortSetOf(
  state: TopologyState,
  facts: StopFacts,
  partition: Partition,
  member: MemberId,
): Omit<Short, 'number'> | undefined {
  const counted = holdingSets(replicaSetsOf(partition))
    .filter((set) => set.includes(member))
    .map((set) => ({ set, up: upWithout(state, facts, set, member) }))
    .filter(({ set, up }) => up < majority(set.length));
  const [worst] = counted.toSorted((a, b) => a.up - b.up);
  if (worst === undefined) return undefined;
  const where = worst.set === partition.replicas ? '' : ' of the set that they move to';
  const { length } = worst.set;
  return {
    up: worst.up,
    what: `${worst.up} of ${length} replicas${where} up; ${majority(length)} are needed`,
  };
}

function upWithout(
  state: TopologyState,
  facts: StopFacts,
  set: readonly MemberId[],
  member: MemberId,
): number {
  return liveReplicas(state, facts, set).filter((replica) => replica !== member).length;
}

function reasonOfVoters(
  { members }: TopologyState,
  member: MemberId,
  { isUp, voters }: StopFacts,
): string | undefined {
  if (!voters.includes(member)) return undefined;
  const up = voters.filter((voter) => voter !== member && isUp(voter)).length;
  const needed = majority(voters.length);
  if (up >= needed) return undefined;
  const name = members.get(member)?.name ?? `member ${member}`;
  return `without ${name}, ${up} of ${voters.length} voters on the topology would be up; ${needed} are needed`;
}

function someOf(numbers: readonly number[]): string {
  const shown = numbers.slice(0, SHOWN_MAX).join(', ');
  const more = numbers.length > SHOWN_MAX ? ', ...' : '';
  return `${numbers.length} ${numbers.length === 1 ? 'partition' : 'partitions'} (${shown}${more})`;
}
