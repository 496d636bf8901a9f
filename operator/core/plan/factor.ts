import type { Observation, TopologySeen } from '../observation.ts';
import { staying } from './drains.ts';
import { act, type Finding, wait } from './finding.ts';

/** Another number of replicas of each key: fewer before members leave, more once enough members are there. */
export function factor(seen: Observation, topology: TopologySeen): readonly Finding[] {
  const { replicationFactor } = seen.cluster.wish;
  if (topology.replicationFactor === replicationFactor) return [];
  const up = staying(seen, topology).filter(({ isUp, isDraining }) => isUp && !isDraining).length;
  if (up < replicationFactor) {
    const message = `${replicationFactor} replicas of each key need ${replicationFactor} members, and ${up} are up`;
    return [wait('scale', 'WaitingForMembers', message)];
  }
  const message = `from ${topology.replicationFactor} to ${replicationFactor} replicas of each key`;
  return [act('scale', message, { type: 'change-factor', replicationFactor })];
}
