import type { MemberId } from '../raft/types.ts';

/** What the planner knows of a member. */
export type PlacementMember = {
  /** Share of the data relative to others; a whole number from 1. */
  readonly weight: number;
  /** Failure domain; members without one ('') share one. */
  readonly zone: string;
};

/**
 * The members in the order of their numbers, whatever order they came in: inside the planner a member is its index
 * here and a zone its index in `zones`, so that nothing can depend on how a map was filled.
 */
export type Roster = {
  readonly ids: readonly MemberId[];
  readonly weights: readonly number[];
  readonly zoneOf: readonly number[];
  /** Names, sorted by UTF-16 code units. */
  readonly zones: readonly string[];
  /** Members per zone. */
  readonly zoneSizes: readonly number[];
  readonly indexOf: ReadonlyMap<MemberId, number>;
};

export function rosterOf(members: ReadonlyMap<MemberId, PlacementMember>): Roster {
  const ids = [...members.keys()].sort((a, b) => a - b);
  const inOrder = ids.map((id) => members.get(id)!);
  const zones = [...new Set(inOrder.map((member) => member.zone))].sort();
  const zoneOf = inOrder.map((member) => zones.indexOf(member.zone));
  return {
    ids,
    weights: inOrder.map((member) => member.weight),
    zoneOf,
    zones,
    zoneSizes: zones.map((_, zone) => zoneOf.filter((of) => of === zone).length),
    indexOf: new Map(ids.map((id, index) => [id, index])),
  };
}
