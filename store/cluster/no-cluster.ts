import { toEpoch } from '../core/topology/types.ts';
import { type ClusterAdmin, ClusterError } from './cluster-admin.ts';

/** The cluster of a node that is run without one: it tells that it waits, and refuses everything else. */
export function createNoCluster(name: string): ClusterAdmin {
  const refuse = async (): Promise<never> => {
    throw new ClusterError('CLUSTER_WAITING', 'This node is of no cluster.');
  };
  return {
    status: () => ({
      node: {
        name,
        state: 'waiting',
        reason: 'this node is run without a cluster',
        member: undefined,
        incarnation: undefined,
        role: undefined,
        isVoter: false,
      },
      clusterId: undefined,
      epoch: toEpoch(0),
      leader: undefined,
      term: 0,
      commitIndex: 0,
      appliedIndex: 0,
      quorum: { state: 'none', voters: [], needed: 0, missing: [], reason: 'there is no cluster' },
      members: { total: 0, alive: 0, suspect: 0, dead: 0 },
    }),
    members: () => [],
    readTopology: refuse,
    waitForEpoch: refuse,
    bootstrap: refuse,
    removeMember: refuse,
    updateMember: refuse,
    transferLeadership: refuse,
    createNamespace: refuse,
    dropNamespace: refuse,
  };
}
