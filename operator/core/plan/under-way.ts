import type { Observation, OperationSeen, TopologySeen } from '../observation.ts';
import { type Concern, type Finding, SOON_MS, wait } from './finding.ts';
import { listed, ordinalsTo, podAt, podName } from './ordinals.ts';

/** What goes on by itself: pods that start, and data that moves. */
export function underWay(seen: Observation, topology: TopologySeen): readonly Finding[] {
  const findings = topology.operations
    .filter(({ type }) => type !== 'drain')
    .map((operation) => wait(concernOf(operation), 'Moving', textOf(operation), SOON_MS));
  const away = ordinalsTo(seen.cluster.wish.replicas).filter((i) => podAt(seen, i)?.isReady !== true);
  if (away.length > 0) findings.push(wait('heal', 'PodsNotReady', awayText(seen, away)));
  if (topology.partitionsShort > 0) {
    const message = `${topology.partitionsShort} partitions have a replica that is down or lost`;
    findings.push(wait('heal', 'ReplicasMissing', message));
  }
  return findings;
}

function concernOf({ type }: OperationSeen): Concern {
  return type === 'replace' ? 'heal' : 'scale';
}

function textOf({ id, partitionsLeft, blockedBy }: OperationSeen): string {
  const blocked = blockedBy === undefined ? '' : `, blocked by ${blockedBy}`;
  return `${id}: ${partitionsLeft} partitions left${blocked}`;
}

function awayText(seen: Observation, ordinals: readonly number[]): string {
  const texts = ordinals.map((ordinal) => {
    const reason = podAt(seen, ordinal)?.stuckReason;
    return podName(seen, ordinal) + (reason === undefined ? '' : ` (${reason})`);
  });
  return `waiting for ${listed(texts)}`;
}
