import { idealLoads } from './ideal-load.ts';
import type { PlacementInput, PlacementOptions } from './placement.ts';
import { rosterOf } from './roster.ts';
import { zoneSpread } from './zone-spread.ts';

/**
 * The fewest replicas that any placement with the promised spread and loads adds to `current`, found by trying every
 * combination of sets. For tiny clusters only. Used by tests.
 */
export function fewestAdditions(options: PlacementOptions, input: PlacementInput): number {
  const roster = rosterOf(input.members);
  const replicas = Math.min(options.replicationFactor, roster.ids.length);
  const spread = zoneSpread(roster.zoneSizes, replicas);
  const ideal = idealLoads(roster, spread, { partitions: options.partitions, replicas });
  const isSpread = (set: readonly number[]): boolean =>
    roster.zones.every((_, zone) => {
      const count = set.filter((member) => roster.zoneOf[member] === zone).length;
      return count >= spread.least[zone]! && count <= spread.most[zone]!;
    });
  const sets = subsets(roster.ids.length, replicas).filter(isSpread);
  // Loads reached so far, and the fewest additions that reach them.
  let reached = new Map<string, number>([[ideal.map(() => 0).join(), 0]]);
  for (let partition = 0; partition < options.partitions; partition++) {
    const before = new Set(input.current[partition] ?? []);
    const next = new Map<string, number>();
    for (const [loads, additions] of reached) {
      for (const set of sets) {
        const after = loads.split(',').map((load, member) => Number(load) + (set.includes(member) ? 1 : 0));
        if (after.some((load, member) => load > Math.ceil(ideal[member]!))) continue;
        const total = additions + set.filter((member) => !before.has(roster.ids[member]!)).length;
        const key = after.join();
        if (total < (next.get(key) ?? Number.POSITIVE_INFINITY)) next.set(key, total);
      }
    }
    reached = next;
  }
  const isBalanced = (loads: string): boolean =>
    loads.split(',').every((load, member) => Number(load) >= Math.floor(ideal[member]!));
  return Math.min(...[...reached].filter(([loads]) => isBalanced(loads)).map(([, additions]) => additions));
}

function subsets(members: number, size: number): number[][] {
  if (size === 0) return [[]];
  if (members < size) return [];
  const withLast = subsets(members - 1, size - 1).map((set) => [...set, members - 1]);
  return [...subsets(members - 1, size), ...withLast];
}
