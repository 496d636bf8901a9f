import type { MemberId } from '../raft/types.ts';
import { idealLoads } from './ideal-load.ts';
import { type PlacementMember, type Roster, rosterOf } from './roster.ts';
import { zoneSpread } from './zone-spread.ts';

export type MemberBalance = {
  readonly member: MemberId;
  /** Undefined for an owner that is not among the members that may own data. */
  readonly zone: string | undefined;
  /** Partitions that it holds, and those of them that it leads. */
  readonly partitions: number;
  readonly primaries: number;
  /** Partitions that it should hold; not whole. */
  readonly ideal: number;
  /** partitions - ideal; within -1 and 1 on a balanced cluster. */
  readonly deviation: number;
};

export type ZoneBalance = {
  readonly zone: string;
  readonly members: number;
  /** Replicas in the zone, primaries among them, and replicas that it should hold. */
  readonly replicas: number;
  readonly primaries: number;
  readonly ideal: number;
  readonly deviation: number;
};

export type Balance = { readonly members: readonly MemberBalance[]; readonly zones: readonly ZoneBalance[] };

/**
 * How far `replicaSets` (one per partition, the primary first) are from the ideal among `members`, those that may own
 * data. The members come by number, owners that should own nothing among them; the zones by name.
 */
export function describeBalance(
  replicaSets: readonly (readonly MemberId[])[],
  members: ReadonlyMap<MemberId, PlacementMember>,
): Balance {
  const roster = rosterOf(members);
  const ideal = idealsOf(replicaSets, roster);
  const partitions = countOf(replicaSets.flat());
  const primaries = countOf(replicaSets.flatMap((set) => set.slice(0, 1)));
  const ids = [...new Set([...roster.ids, ...partitions.keys()])].sort((a, b) => a - b);
  const rows = ids.map((member): MemberBalance => {
    const should = ideal[roster.indexOf.get(member) ?? -1] ?? 0;
    const held = partitions.get(member) ?? 0;
    const zone = members.get(member)?.zone;
    const leads = primaries.get(member) ?? 0;
    return { member, zone, partitions: held, primaries: leads, ideal: should, deviation: held - should };
  });
  return { members: rows, zones: roster.zones.map((zone) => zoneBalance(zone, rows)) };
}

/** The size that the sets should have is taken from the largest: a set that moves may be larger or smaller for a while. */
function idealsOf(replicaSets: readonly (readonly MemberId[])[], roster: Roster): number[] {
  const largest = replicaSets.reduce((most, set) => Math.max(most, set.length), 0);
  const replicas = Math.min(largest, roster.ids.length);
  const spread = zoneSpread(roster.zoneSizes, replicas);
  return idealLoads(roster, spread, { partitions: replicaSets.length, replicas });
}

function zoneBalance(zone: string, rows: readonly MemberBalance[]): ZoneBalance {
  const inZone = rows.filter((row) => row.zone === zone);
  const total = (pick: (row: MemberBalance) => number): number =>
    inZone.reduce((sum, row) => sum + pick(row), 0);
  const replicas = total((row) => row.partitions);
  const ideal = total((row) => row.ideal);
  const primaries = total((row) => row.primaries);
  return { zone, members: inZone.length, replicas, primaries, ideal, deviation: replicas - ideal };
}

function countOf(ids: readonly MemberId[]): Map<MemberId, number> {
  const counts = new Map<MemberId, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
