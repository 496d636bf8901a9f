import { majority } from '../quorum/quorum-sizes.ts';
import { holdingSets } from '../quorum/replica-sets.ts';
import type { MemberId } from '../raft/types.ts';
import { someOf } from '../topology/some-of.ts';
import { liveLeases } from '../topology/stop-leases.ts';
import type { Partition, TopologyState } from '../topology/types.ts';
import { liveReplicas } from './plan-moves.ts';
import { isOwner, replicaSetsOf } from './rules.ts';

export type StopFacts = {
  isUp(member: MemberId): boolean;
  /** Who votes on the topology. */
  readonly voters: readonly MemberId[];
  /** By the clock of the node that is asked; leases that have run out by then do not count. */
  readonly nowMs: number;
  /** Records that wait elsewhere for the member, since it could not be reached: it has not caught up yet. */
  hintsFor(member: MemberId): number;
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

type Liveness = Pick<StopFacts, 'isUp'>;

/**
 * Whether a member can be stopped, and every partition that it holds keeps a majority of each set whose quorums count (docs/quorum.md),
 * and the topology its voters. Beside those that are down, those count as absent that were told that they may stop, and that have not
 * caught up since they were away. What has no quorum without it either is a no too: it may be what is waited for. One that is
 * being drained is stopped when it is empty.
 */
export function canStop(state: TopologyState, member: MemberId, stopFacts: StopFacts): StopVerdict {
  const absent = absentOf(state, member, stopFacts);
  const facts = { ...stopFacts, isUp: (other: MemberId) => stopFacts.isUp(other) && !absent.has(other) };
  const short = state.partitions.flatMap((partition, number): Short[] => {
    const what = shortSetOf(state, facts, partition, member);
    return what === undefined ? [] : [{ number, ...what }];
  });
  const votersReason = reasonOfVoters(state, member, facts);
  const drainReason = reasonOfDrain(state, member);
  if (short.length === 0 && votersReason === undefined && drainReason === undefined) return { canStop: true };
  const ofPartitions = [...Map.groupBy(short.toSorted(byUp), ({ what }) => what)].map(
    ([what, group]) => `${listOf(group)} would have ${what}`,
  );
  const own = [votersReason, drainReason].filter((reason) => reason !== undefined);
  const isQuorumShort = short.length > 0 || votersReason !== undefined;
  const reasons = [...ofPartitions, ...own, ...(isQuorumShort ? absent.values() : [])];
  return { canStop: false, reasons, partitions: short.map(({ number }) => number) };
}

/** Members that are up and do not count, with the reason. */
function absentOf(
  state: TopologyState,
  member: MemberId,
  { isUp, nowMs, hintsFor }: StopFacts,
): ReadonlyMap<MemberId, string> {
  const leases = new Map(liveLeases(state, nowMs).map((lease) => [lease.member, lease.untilMs]));
  const others = [...state.members.values()].filter(({ number }) => number !== member && isUp(number));
  return new Map(
    others.flatMap(({ number, name }): [MemberId, string][] => {
      const untilMs = leases.get(number);
      const hints = hintsFor(number);
      if (untilMs !== undefined) {
        const seconds = Math.ceil((untilMs - nowMs) / 1000);
        return [
          [number, `${name} was told that it may stop, and counts as stopped for another ${seconds} s`],
        ];
      }
      return hints === 0
        ? []
        : [[number, `${name} has not caught up: ${hints} writes wait for it elsewhere`]];
    }),
  );
}

function reasonOfDrain({ members, partitions }: TopologyState, number: MemberId): string | undefined {
  const member = members.get(number);
  if (member?.isDraining !== true) return undefined;
  const held = partitions.filter((partition) => isOwner(partition, number)).length;
  if (held === 0) return undefined;
  return `${member.name} is being drained and still holds ${someCount(held)}: stop it when it is empty`;
}

type Short = { readonly number: number; readonly up: number; readonly what: string };
const byUp = (a: Short, b: Short): number => a.up - b.up || a.number - b.number;

/** The set of the partition that would be left with the fewest, of those that would be left without a majority. */
function shortSetOf(
  state: TopologyState,
  facts: Liveness,
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
  facts: Liveness,
  set: readonly MemberId[],
  member: MemberId,
): number {
  return liveReplicas(state, facts, set).filter((replica) => replica !== member).length;
}

function reasonOfVoters(
  { members }: TopologyState,
  member: MemberId,
  { isUp, voters }: Pick<StopFacts, 'isUp' | 'voters'>,
): string | undefined {
  if (!voters.includes(member)) return undefined;
  const up = voters.filter((voter) => voter !== member && isUp(voter)).length;
  const needed = majority(voters.length);
  if (up >= needed) return undefined;
  const name = members.get(member)?.name ?? `member ${member}`;
  return `without ${name}, ${up} of ${voters.length} voters on the topology would be up; ${needed} are needed`;
}

const listOf = (short: readonly Short[]): string =>
  `${someCount(short.length)} (${someOf(short.map(({ number }) => number))})`;

const someCount = (count: number): string => `${count} ${count === 1 ? 'partition' : 'partitions'}`;
