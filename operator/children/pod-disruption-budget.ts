import type { KVCluster } from '../api/kvcluster.ts';
import type { KubeObject } from './kube-object.ts';
import { childMeta, selectorLabels } from './names.ts';

/** With fewer replicas of a key no pod can go without an outage, and a budget of none would block every drain of a node for ever. */
const REPLICATION_FACTOR_MIN = 3;

/** One pod at a time, where the store can lose one; undefined elsewhere. */
export function podDisruptionBudget(cluster: KVCluster): KubeObject | undefined {
  const { replicas, replicationFactor, podDisruptionBudget: wanted } = cluster.spec;
  if (!wanted.enabled || replicas <= 1 || replicationFactor < REPLICATION_FACTOR_MIN) return undefined;
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: childMeta(cluster, cluster.metadata.name),
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: selectorLabels(cluster) },
      // One that is not ready may go with its node while all others are; several at once may not, as all are not without a quorum.
      unhealthyPodEvictionPolicy: 'IfHealthyBudget',
    },
  };
}
