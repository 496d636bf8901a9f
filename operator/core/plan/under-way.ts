import type { Observation, OperationSeen, TopologySeen } from '../observation.ts';
import { type Concern, type Finding, SOON_MS, wait } from './finding.ts';
import { listed, ordinalsTo, podAt, podMembers, podName } from './ordinals.ts';

/** A rebalance that has not begun so long after it might have is none that is due: there may be nothing to move, or somebody cancelled it. */
export const REBALANCE_GRACE_MS = 30_000;

/** What goes on by itself: pods that start, and data that moves. */
export function underWay(seen: Observation, topology: TopologySeen): readonly Finding[] {
  const findings = topology.operations
    .filter(({ type }) => type !== 'drain')
    .map((operation) => wait(concernOf(operation), 'Moving', textOf(operation), SOON_MS));
  findings.push(...rebalanceDue(seen, topology));
  const away = ordinalsTo(seen.cluster.wish.replicas).filter((i) => podAt(seen, i)?.isReady !== true);
  if (away.length > 0) findings.push(wait('heal', 'PodsNotReady', awayText(seen, away)));
  if (topology.partitionsShort > 0) {
    const message = `${topology.partitionsShort} partitions have a replica that is down or lost`;
    findings.push(wait('heal', 'ReplicasMissing', message));
  }
  return findings;
}

/** The store waits until nobody has come for a while before it moves anything: until then those that came have no share, and all looks well. */
function rebalanceDue(seen: Observation, topology: TopologySeen): readonly Finding[] {
  const { rebalanceAfterMs } = seen.cluster.wish;
  const isRunning = topology.operations.some(({ type }) => type === 'rebalance');
  if (rebalanceAfterMs === undefined || isRunning || !topology.isPlaced) return [];
  const fresh = podMembers(seen, topology).filter(({ ordinal, member }) => {
    const pod = podAt(seen, ordinal);
    if (pod?.isReady !== true || !member.isUp || member.isDraining || member.partitions > 0) return false;
    return seen.nowMs - pod.readyChangedMs < rebalanceAfterMs + REBALANCE_GRACE_MS;
  });
  if (fresh.length === 0) return [];
  const names = listed(fresh.map(({ member }) => member.name));
  return [wait('scale', 'RebalanceDue', `${names} will get a share of the data`, SOON_MS)];
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
