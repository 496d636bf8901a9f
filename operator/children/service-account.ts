import type { KVCluster } from '../api/kvcluster.ts';
import type { KubeObject } from './kube-object.ts';
import { childMeta, serviceAccountName } from './names.ts';

/** The store asks nothing of Kubernetes: its pods get no token. */
export function serviceAccount(cluster: KVCluster): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: childMeta(cluster, serviceAccountName(cluster)),
    automountServiceAccountToken: false,
  };
}
