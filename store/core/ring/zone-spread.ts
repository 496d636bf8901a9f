/** How many replicas of one partition each zone holds, at least and at most. */
export type ZoneSpread = { readonly least: readonly number[]; readonly most: readonly number[] };

/**
 * The most even spread of `replicas` over zones of `zoneSizes` members: no zone holds an extra replica while another
 * that could take it holds two fewer. With as many zones as replicas, `most` is 1: distinct zones.
 * `replicas` is at most the number of members.
 */
export function zoneSpread(zoneSizes: readonly number[], replicas: number): ZoneSpread {
  const upTo = (level: number): number[] => zoneSizes.map((size) => Math.min(size, level));
  let level = 0;
  while (sum(upTo(level)) < replicas) level++;
  return { least: upTo(Math.max(0, level - 1)), most: upTo(level) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
