import type { MemberId } from '../raft/types.ts';
import { idealLoads } from './ideal-load.ts';
import { keepAndFill } from './keep-and-fill.ts';
import { type PlacementChange, placementDiff } from './placement-diff.ts';
import { Primaries } from './primaries.ts';
import { ReplicaSets } from './replica-sets.ts';
import { type PlacementMember, type Roster, rosterOf } from './roster.ts';
import { settleLoads } from './settle-loads.ts';
import { type ZoneSpread, zoneSpread } from './zone-spread.ts';

/** As in the settings of the topology. */
export type PlacementOptions = { readonly partitions: number; readonly replicationFactor: number };

export type PlacementInput = {
  /** Those that may own data, in any order. */
  readonly members: ReadonlyMap<MemberId, PlacementMember>;
  /** The replica sets as they are, one per partition, or none at all: the first placement. */
  readonly current: readonly (readonly MemberId[])[];
};

export type Placement = {
  /** One set per partition, all empty where there is no member; the first of a set is the primary. */
  readonly replicaSets: readonly (readonly MemberId[])[];
  readonly changes: readonly PlacementChange[];
};

/**
 * Plans who owns what (docs/placement.md). With N = min(replicationFactor, members) it promises, in this order:
 * 1. every set has N distinct members, spread over the zones as evenly as can be (distinct where there are N zones);
 * 2. every member's load is its ideal, rounded down or up; so is the number of its primaries, whose ideal is load / N;
 * 3. no placement with 1 and 2 adds fewer replicas to `current`; primaries change as little as the sets then allow.
 * The result depends on nothing else: not on the order of the members, nor on time or chance.
 */
export function planPlacement(options: PlacementOptions, input: PlacementInput): Placement {
  checkInput(options, input);
  const roster = rosterOf(input.members);
  const replicas = Math.min(options.replicationFactor, roster.ids.length);
  const current = Array.from({ length: options.partitions }, (_, p) => [...new Set(input.current[p] ?? [])]);
  if (replicas === 0) {
    const replicaSets = current.map(() => []);
    return { replicaSets, changes: placementDiff(input.current, replicaSets) };
  }
  const spread = zoneSpread(roster.zoneSizes, replicas);
  const ideal = idealLoads(roster, spread, { partitions: options.partitions, replicas });
  const context: Context = { roster, spread, ideal, replicas, current };
  const replicaSets = withPrimaries(context, chooseMembers(context));
  return { replicaSets, changes: placementDiff(input.current, replicaSets) };
}

type Context = {
  readonly roster: Roster;
  readonly spread: ZoneSpread;
  readonly ideal: readonly number[];
  readonly replicas: number;
  readonly current: readonly (readonly MemberId[])[];
};

/** Sets of member indices; those that stay keep their order, those that come stand last. */
function chooseMembers(context: Context): number[][] {
  const { roster, spread, ideal } = context;
  const before = context.current.map((set) =>
    set.flatMap((id) => (roster.indexOf.has(id) ? [roster.indexOf.get(id)!] : [])),
  );
  const sets = new ReplicaSets({ before, spread }, roster);
  keepAndFill({ ...context, sets }, before);
  sets.countExchanges();
  settleLoads(sets, { least: ideal.map(Math.floor), most: ideal.map(Math.ceil) });
  return before.map((old, partition) => {
    const members = sets.setOf(partition);
    const stay = old.filter((member) => sets.has(partition, member));
    const come = members.filter((member) => !stay.includes(member));
    return [...stay, ...come.sort((a, b) => a - b)];
  });
}

/** Puts the primary first. Rounding the rounded load is rounding load / N, and such primaries exist for any sets. */
function withPrimaries(context: Context, sets: readonly (readonly number[])[]): MemberId[][] {
  const { roster, ideal, replicas } = context;
  const before = context.current.map((set) => set.map((id) => roster.indexOf.get(id) ?? -1));
  const primaries = new Primaries({ members: ideal.length, ideal }, { sets, before });
  settleLoads(primaries, {
    least: ideal.map((load) => Math.floor(Math.floor(load) / replicas)),
    most: ideal.map((load) => Math.ceil(Math.ceil(load) / replicas)),
  });
  return sets.map((set, partition) => {
    const primary = primaries.primaryOf(partition);
    const rest = set.filter((member) => member !== primary);
    return [primary, ...rest].map((member) => roster.ids[member]!);
  });
}

function checkInput(options: PlacementOptions, input: PlacementInput): void {
  const { partitions, replicationFactor } = options;
  if (!isCount(partitions) || !isCount(replicationFactor)) {
    const given = `partitions ${partitions} and replicationFactor ${replicationFactor}`;
    throw new RangeError(`placement: ${given} must be whole numbers from 1.`);
  }
  if (input.current.length !== 0 && input.current.length !== partitions) {
    const given = `current has ${input.current.length} replica sets`;
    throw new RangeError(`placement: ${given}; give one for each of the ${partitions} partitions, or none.`);
  }
  for (const [id, { weight }] of input.members)
    if (!isCount(weight))
      throw new RangeError(`placement: the weight ${weight} of member ${id} must be a whole number from 1.`);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
