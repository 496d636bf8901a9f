import type { Observation, TopologySeen } from '../observation.ts';
import { act, type Finding } from './finding.ts';
import { memberNamed } from './ordinals.ts';

/** Members learn the zones of the nodes that their pods run on: a process cannot see labels of its node. */
export function zones(seen: Observation, topology: TopologySeen): readonly Finding[] {
  if (!seen.cluster.wish.usesZones) return [];
  return seen.pods.flatMap(({ name, zone, isReady }) => {
    const member = memberNamed(topology, name);
    if (zone === undefined || !isReady || member?.isUp !== true || member.zone === zone) return [];
    return [act('scale', `${name} is in zone ${zone}`, { type: 'set-zone', member: name, zone })];
  });
}
