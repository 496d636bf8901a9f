import type { ClusterStatus, MemberView } from '../../store/cluster/cluster-admin.ts';
import { type LocalNode, readPid } from './local-node.ts';

const ANSWER_DEADLINE_MS = 1500;

/** A node of the local cluster as it says of itself. */
export type Observation = {
  readonly node: LocalNode;
  readonly pid: number | undefined;
  /** Undefined where it does not run or does not answer. */
  readonly status: ClusterStatus | undefined;
};

export async function observe(nodes: readonly LocalNode[]): Promise<readonly Observation[]> {
  return Promise.all(
    nodes.map(async (node) => {
      const pid = readPid(node);
      const status = pid === undefined ? undefined : await ask<ClusterStatus>(node, '/v1/cluster');
      return { node, pid, status };
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

async function ask<T>(node: LocalNode, path: string): Promise<T | undefined> {
  try {
    const answer = await fetch(`${node.url}${path}`, { signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) });
    const body = (await answer.json()) as T;
    return answer.ok ? body : undefined;
  } catch {
    return undefined;
  }
}
