import { type BootstrapRequest, ClusterError } from './cluster-admin.ts';

/** Why a node without a cluster waits, before anybody was asked. */
export function firstReason(seeds: readonly string[]): string {
  if (seeds.length > 0) return `a cluster is being looked for at the seeds ${seeds.join(', ')}`;
  return 'there are no cluster.seeds to join at: set them, or make a cluster of this node (kvorum cluster bootstrap)';
}

/** A bootstrap that was done already: the same id again is a success. */
export function alreadyMember(
  clusterId: string,
  request: BootstrapRequest,
): { readonly clusterId: string; readonly created: boolean } {
  if (request.clusterId === clusterId) return { clusterId, created: false };
  throw new ClusterError(
    'ALREADY_BOOTSTRAPPED',
    `this node is a member of the cluster ${clusterId} already; repeat that id, or use a node with an empty directory`,
  );
}

/** Why a directory that a cluster has begun to fill makes no other one. */
export function belongsTo(phase: {
  readonly type: 'joining' | 'excluded';
  readonly clusterId: string;
  readonly reason: string;
}): ClusterError {
  return new ClusterError(
    'ALREADY_BOOTSTRAPPED',
    `this node's directory belongs to the cluster ${phase.clusterId} (${phase.type}: ${phase.reason}); make a new cluster of an empty directory`,
  );
}

export function mayBeOf(allowed: string, asked: string): ClusterError {
  return new ClusterError(
    'ALREADY_BOOTSTRAPPED',
    `the setting cluster.id lets this node be of ${allowed} only, not of ${asked}`,
  );
}
