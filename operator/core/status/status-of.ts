import type { KVClusterStatus } from '../../api/kvcluster.ts';
import { CONDITION_TYPES, type Condition } from '../../api/kvcluster-status.ts';
import type { Observation } from '../observation.ts';
import type { Plan } from '../plan/plan-next.ts';
import { conditionsOf } from './conditions.ts';
import { membersOf, operationOf, revisionOf, versionOf } from './members.ts';

/** What of a KVCluster is told and not observed. */
export type StatusFacts = {
  readonly generation: number;
  readonly previous: KVClusterStatus | undefined;
  readonly selector: string;
  readonly endpoints: NonNullable<KVClusterStatus['endpoints']>;
};

/**
 * The status, all of it, from what is seen now. Of the one before only that is kept which nobody else knows: the id of the cluster, that it has lived
 * (the epoch), and since when conditions are what they are.
 */
export function statusOf(seen: Observation, plan: Plan, facts: StatusFacts): KVClusterStatus {
  const { generation, previous, selector, endpoints } = facts;
  const { topology } = seen.store;
  const isOther = topology !== undefined && topology.clusterId !== seen.cluster.clusterId;
  const epoch = isOther ? previous?.epoch : (topology?.epoch ?? previous?.epoch);
  const readyReplicas = seen.pods.filter(({ isReady }) => isReady).length;
  const status = {
    observedGeneration: generation,
    conditions: conditions(seen, plan, facts),
    clusterId: seen.cluster.clusterId,
    epoch,
    leader: topology?.leader,
    version: versionOf(topology) ?? previous?.version,
    members: [...membersOf(seen, previous)],
    membersReady: `${readyReplicas}/${seen.cluster.wish.replicas}`,
    replicas: seen.pods.length,
    readyReplicas,
    selector,
    operation: operationOf(topology),
    endpoints,
    currentRevision: revisionOf(seen, previous),
  };
  return withoutUndefined(status) as KVClusterStatus;
}

function conditions(
  seen: Observation,
  plan: Plan,
  { generation, previous }: StatusFacts,
): readonly Condition[] {
  const verdicts = conditionsOf(seen, plan);
  const now = new Date(seen.nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return CONDITION_TYPES.map((type) => {
    const verdict = verdicts[type];
    const before = previous?.conditions?.find((condition) => condition.type === type);
    const isKept = before?.status === verdict.status;
    const lastTransitionTime = isKept ? before.lastTransitionTime : now;
    return { type, ...verdict, observedGeneration: generation, lastTransitionTime };
  });
}

function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined));
}

/** Whether there is anything to write; the order of fields makes no difference, nor whether one is undefined or absent. */
export function isSameStatus(a: KVClusterStatus | undefined, b: KVClusterStatus): boolean {
  return a !== undefined && isSame(a, b);
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [before, now] = [a, b] as readonly Readonly<Record<string, unknown>>[];
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => isSame(before?.[name], now?.[name]));
}
