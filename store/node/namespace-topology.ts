import type { ClusterAdmin } from '../cluster/cluster-admin.ts';
import type { TopologyReplica } from '../cluster/topology-replica.ts';
import type { NamespaceTopology } from '../storage/namespaces.ts';

export type NamespaceTopologyDeps = {
  readonly topology: TopologyReplica;
  readonly cluster: ClusterAdmin;
  readonly signal: AbortSignal;
  /** Why the engine is used no more, if it is not. */
  engineFailure(): Error | undefined;
};

/** The namespaces of the topology, as the storage follows and changes them. */
export function namespaceTopology(deps: NamespaceTopologyDeps): NamespaceTopology {
  const { topology, cluster, signal } = deps;
  /** What a failed disk does to a change is told by the disk's own error. */
  const change = async (work: Promise<unknown>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      throw deps.engineFailure() ?? error;
    }
  };
  return {
    namespaces: () => topology.state?.namespaces ?? new Map(),
    nextId: () => topology.state?.nextNamespaceId ?? 0,
    create: (name) => change(cluster.createNamespace(name, signal)),
    drop: (name, id) => change(cluster.dropNamespace(name, id, signal)),
    onChange: (listener) => topology.onChange(listener),
  };
}
