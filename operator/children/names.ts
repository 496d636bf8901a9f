import { API_VERSION, KIND, type KVCluster, PEERS_SUFFIX } from '../api/kvcluster.ts';
import type { ObjectMeta } from './kube-object.ts';

/** How the objects of a KVCluster are named and labelled. Nothing here may change: volumes and selectors depend on it. */

export const MANAGER = 'kvorum-operator';
export const ANNOTATIONS = {
  /** On a child: hash of the object. On a pod: hash of what the user can see of it (hash.ts). */
  specHash: 'kvorum.dev/spec-hash',
  /** On a pod: the same without settings; and the settings of its spec, as JSON. */
  restartHash: 'kvorum.dev/restart-hash',
  config: 'kvorum.dev/config',
  /** On the StatefulSet: hash of what Kubernetes does not let change. */
  fixedHash: 'kvorum.dev/fixed-hash',
  clusterUid: 'kvorum.dev/cluster-uid',
  clusterId: 'kvorum.dev/cluster-id',
} as const;

export const CONTAINER = 'kvorum';
export const DATA_VOLUME = 'data';
export const ZONE_LABEL = 'topology.kubernetes.io/zone';

export type Named = Pick<KVCluster, 'metadata'>;

export const statefulSetName = ({ metadata }: Named): string => metadata.name;
export const podName = ({ metadata }: Named, ordinal: number): string => `${metadata.name}-${ordinal}`;
export const claimName = (cluster: Named, ordinal: number): string =>
  `${DATA_VOLUME}-${podName(cluster, ordinal)}`;
export const headlessName = ({ metadata }: Named): string => metadata.name + PEERS_SUFFIX;
export const clientName = ({ metadata }: Named): string => metadata.name;
export const configName = ({ metadata }: Named): string => `${metadata.name}-config`;
export const serviceAccountName = ({ metadata }: Named): string => metadata.name;
export const certificateSecretName = ({ metadata }: Named, side: 'peer' | 'http'): string =>
  `${metadata.name}-${side}-tls`;
/** The Secret of a certificate: the one that the user names, or the one that cert-manager writes. */
export const tlsSecretName = (
  cluster: Named,
  side: 'peer' | 'http',
  { secretName }: { readonly secretName?: string | undefined },
): string => secretName ?? certificateSecretName(cluster, side);
export const authSecretName = ({ metadata, spec }: KVCluster): string =>
  spec.auth.secretName ?? `${metadata.name}-auth`;

/** Host names within Kubernetes: without the domain of the cluster, which the resolver of a pod adds. */
export const headlessHost = (cluster: Named): string =>
  `${headlessName(cluster)}.${cluster.metadata.namespace}.svc`;
export const clientHost = (cluster: Named): string =>
  `${clientName(cluster)}.${cluster.metadata.namespace}.svc`;
export const podHost = (cluster: Named, pod: string): string => `${pod}.${headlessHost(cluster)}`;

/** Of the pods of one KVCluster; never anything that a user can set. */
export function selectorLabels({ metadata }: Named): Readonly<Record<string, string>> {
  return {
    'app.kubernetes.io/name': 'kvorum',
    'app.kubernetes.io/instance': metadata.name,
    'app.kubernetes.io/component': 'store',
  };
}

export function commonLabels(cluster: Named): Readonly<Record<string, string>> {
  return { ...selectorLabels(cluster), 'app.kubernetes.io/managed-by': MANAGER };
}

/** As text, for `status.selector`. */
export function selectorText(cluster: Named): string {
  return Object.entries(selectorLabels(cluster))
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/** Metadata of a child: it goes with its KVCluster. */
export function childMeta(
  cluster: Named,
  name: string,
  annotations: Readonly<Record<string, string>> = {},
): ObjectMeta {
  const { namespace, name: owner, uid } = cluster.metadata;
  const reference = { apiVersion: API_VERSION, kind: KIND, name: owner, uid };
  return {
    name,
    namespace,
    labels: commonLabels(cluster),
    annotations,
    ownerReferences: [{ ...reference, controller: true, blockOwnerDeletion: true }],
  };
}
