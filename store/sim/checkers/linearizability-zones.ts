import type { Cluster, Impossible, Placed } from './linearizability-clusters.ts';
import type { RegisterOperation } from './register-operation.ts';

/** From the first end to the last begin of a value's operations, where these are in that order, the value must be there. */
export type Zone = { readonly cluster: Cluster; readonly from: number; readonly to: number };

/** In order; `impossible` where two of them overlap: two values at one time. */
export function zonesOf(clusters: readonly Cluster[]): {
  readonly zones: readonly Zone[];
  readonly impossible: Impossible | undefined;
} {
  const zones = clusters
    .filter(isZone)
    .map((cluster) => ({ cluster, from: cluster.firstEnd.end, to: cluster.lastBegin.begin }))
    .sort((a, b) => a.from - b.from);
  const index = zones.findIndex((zone, i) => zone.from < (zones[i - 1]?.to ?? -1));
  const [first, second] = [zones[index - 1], zones[index]];
  return { zones, impossible: first && second && overlap(first, second) };
}

export const isZone = ({ firstEnd, lastBegin }: Cluster): boolean => firstEnd.end < lastBegin.begin;

/** The zone at `place`, if it lies within one. */
export function zoneAt(zones: readonly Zone[], place: number): Zone | undefined {
  const zone = zones[firstZoneEndingBehind(zones, place)];
  return zone !== undefined && zone.from < place ? zone : undefined;
}

/** Whether any part of `from`..`to` lies within a zone. */
export function touchesZone(zones: readonly Zone[], from: number, to: number): boolean {
  const zone = zones[firstZoneEndingBehind(zones, from)];
  return zone !== undefined && zone.from < to;
}

/** The zone that holds all of `from`..`to`. */
export function zoneAround(zones: readonly Zone[], from: number, to: number): Zone | undefined {
  const zone = zoneAt(zones, from);
  return zone !== undefined && to < zone.to ? zone : undefined;
}

/** What shows that the value of `zone` was there all the time. */
export function evidenceOf({ cluster }: Zone): readonly RegisterOperation[] {
  return [...new Set([cluster.put, cluster.firstEnd, cluster.lastBegin])].map(({ operation }) => operation);
}

/** `inside` takes effect while the value of `zone` is there. */
export function within(zone: Zone, inside: readonly Placed[], what: string): Impossible {
  const { value } = zone.cluster.put.operation;
  return {
    problem: `${what}, all of it between the end of one operation and the begin of another that both show ${value}`,
    operations: [...evidenceOf(zone), ...inside.map(({ operation }) => operation)],
  };
}

function overlap(a: Zone, b: Zone): Impossible {
  const [first, second] = [a, b].map(({ cluster }) => cluster.put.operation.value);
  return {
    problem: `${first} and ${second} must both have been there at one time`,
    operations: [...evidenceOf(a), ...evidenceOf(b)],
  };
}

function firstZoneEndingBehind(zones: readonly Zone[], place: number): number {
  let [low, high] = [0, zones.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((zones[middle] as Zone).to > place) high = middle;
    else low = middle + 1;
  }
  return low;
}
