import { type ClusterAdmin, ClusterError } from '../cluster/cluster-admin.ts';
import type { Member } from '../cluster/member.ts';
import { placementWait, placementWaitText } from '../cluster/placement-wait.ts';
import { DEFAULT_NAMESPACE } from '../core/topology/genesis.ts';
import type { TopologyNamespace } from '../core/topology/types.ts';
import { KvError } from '../storage/errors.ts';
import type { KvStore } from '../storage/kv-store.ts';

/**
 * The store of a member that serves no data: namespaces are the topology's, and can be made and dropped; whatever touches
 * a key is refused with CLUSTER_FORMING.
 */
export function unplacedStore(member: Member, cluster: ClusterAdmin, signal: AbortSignal): KvStore {
  const refuse = (): never => {
    throw new ClusterError('CLUSTER_FORMING', formingReason(member));
  };
  // A node that has just joined knows of none: that one is not there is not its to say.
  const namespaces = (): ReadonlyMap<string, TopologyNamespace> =>
    member.topology.state?.namespaces ?? refuse();
  const refuseLater = async (): Promise<never> => refuse();
  return {
    get: refuseLater,
    put: refuseLater,
    delete: refuseLater,
    batch: refuseLater,
    scan: refuseLater,
    // biome-ignore lint/correctness/useYield: it ends before its first page
    async *scanAll() {
      refuse();
    },
    listNamespaces: () => [...namespaces().values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    getNamespace: (name) => namespaces().get(name),
    async createNamespace(name) {
      const created = !namespaces().has(name);
      if (created) await cluster.createNamespace(name, signal);
      return { namespace: requireNamespace(namespaces(), name), created };
    },
    async deleteNamespace(name, confirm) {
      const { id } = requireNamespace(namespaces(), name);
      if (name === DEFAULT_NAMESPACE)
        throw new KvError('NAMESPACE_PROTECTED', `the namespace '${name}' cannot be deleted`, {
          namespace: name,
        });
      const isPlaced = (member.topology.state?.partitions.length ?? 0) > 0;
      if (isPlaced && confirm !== name)
        throw new KvError(
          'NAMESPACE_NOT_EMPTY',
          `this node does not see whether the namespace '${name}' holds data; confirm with its name, or ask the node that owns the partitions`,
          { namespace: name },
        );
      await cluster.dropNamespace(name, id, signal);
    },
  };
}

function requireNamespace(
  namespaces: ReadonlyMap<string, TopologyNamespace>,
  name: string,
): TopologyNamespace {
  const namespace = namespaces.get(name);
  if (namespace === undefined)
    throw new KvError('NAMESPACE_NOT_FOUND', `there is no namespace '${name}'`, { namespace: name });
  return namespace;
}

function formingReason(member: Member): string {
  const { state } = member.topology;
  if (state === undefined) return 'the topology has not arrived at this node yet';
  if (state.partitions.length > 0) return 'this node owns no partition, and does not pass requests on yet';
  return `the partitions are not placed: ${placementWaitText(
    placementWait(state, member.options, (number) => member.isUp(number)),
  )}`;
}
