import type { ClusterStatus, MemberView } from '../../store/cluster/cluster-admin.ts';
import type { ReadinessCheck } from '../../store/node/start-node.ts';
import { type LocalNode, readPid } from './local-node.ts';

const ANSWER_DEADLINE_MS = 1500;

/** A node of the local cluster as it says of itself. */
export type Observation = {
  readonly node: LocalNode;
  readonly pid: number | undefined;
  /** Undefined where it does not run or does not answer. */
  readonly status: ClusterStatus | undefined;
  /** Why it may not be sent requests for keys, beside what `status` says of the cluster; empty where it may. */
  readonly unready: readonly string[];
};

/** What the topology says of the data, as far as it was applied where it was asked. */
export type DataPlacement = {
  readonly replicationFactor: number;
  readonly isPlaced: boolean;
  /** Members that own no partition. */
  readonly without: readonly string[];
};

export async function observe(nodes: readonly LocalNode[]): Promise<readonly Observation[]> {
  return Promise.all(
    nodes.map(async (node) => {
      const pid = readPid(node);
      if (pid === undefined) return { node, pid, status: undefined, unready: [] };
      const [status, ready] = await Promise.all([
        ask<ClusterStatus>(node, '/v1/cluster'),
        ask<{ readonly checks: readonly ReadinessCheck[] }>(node, '/readyz', { isRefusalAnswer: true }),
      ]);
      return { node, pid, status, unready: reasonsOf(ready?.checks ?? []) };
    }),
  );
}

/** The members as the first node that answers sees them; none where no node does. */
export async function observeMembers(
  observations: readonly Observation[],
): Promise<ReadonlyMap<string, MemberView>> {
  for (const { node, status } of observations) {
    if (status === undefined) continue;
    const answer = await ask<{ readonly members: readonly MemberView[] }>(
      node,
      '/v1/members?consistency=local',
    );
    if (answer !== undefined) return new Map(answer.members.map((member) => [member.name, member]));
  }
  return new Map();
}

/** Where the data is, as the first node that answers has it; undefined where none does. */
export async function observePlacement(
  observations: readonly Observation[],
): Promise<DataPlacement | undefined> {
  for (const { node, status } of observations) {
    if (status === undefined) continue;
    const answer = await ask<TopologyAnswer>(node, '/v1/topology?consistency=local');
    if (answer !== undefined) return placementOf(answer);
  }
  return undefined;
}

type TopologyAnswer = {
  readonly settings: { readonly replicationFactor: number };
  readonly members: readonly { readonly number: number; readonly name: string }[];
  readonly partitions: readonly { readonly replicas: readonly number[] }[];
};

function placementOf({ settings, members, partitions }: TopologyAnswer): DataPlacement {
  const owners = new Set(partitions.flatMap(({ replicas }) => replicas));
  return {
    replicationFactor: settings.replicationFactor,
    isPlaced: partitions.length > 0,
    without: members.filter(({ number }) => !owners.has(number)).map(({ name }) => name),
  };
}

/** What the check `cluster` says is in the status already. */
function reasonsOf(checks: readonly ReadinessCheck[]): readonly string[] {
  return checks
    .filter(({ name, ok }) => !ok && name !== 'cluster')
    .map(({ name, reason }) => `${name}: ${reason ?? 'no reason given'}`);
}

/** `isRefusalAnswer`: the body counts whatever the status is. */
async function ask<T>(
  node: LocalNode,
  path: string,
  { isRefusalAnswer }: { readonly isRefusalAnswer: boolean } = { isRefusalAnswer: false },
): Promise<T | undefined> {
  try {
    const answer = await fetch(`${node.url}${path}`, { signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) });
    const body = (await answer.json()) as T;
    return answer.ok || isRefusalAnswer ? body : undefined;
  } catch {
    return undefined;
  }
}
