import type { KVCluster } from '../api/kvcluster.ts';
import type { ChildFacts } from './facts.ts';
import { compact, type KubeObject } from './kube-object.ts';
import { authSecretName, childMeta, headlessHost, selectorLabels, tlsSecretName } from './names.ts';

/** What Prometheus scrapes, where the Prometheus operator is there. */
export function podMonitor(cluster: KVCluster, { apis }: ChildFacts): KubeObject | undefined {
  const { enabled, interval, labels } = cluster.spec.monitoring.podMonitor;
  if (!enabled || !apis.podMonitor) return undefined;
  const meta = childMeta(cluster, cluster.metadata.name);
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { ...meta, labels: { ...labels, ...meta.labels } },
    spec: {
      selector: { matchLabels: selectorLabels(cluster) },
      jobLabel: 'app.kubernetes.io/instance',
      podMetricsEndpoints: [{ port: 'http', path: '/metrics', interval, ...access(cluster), relabelings }],
    },
  };
}

/** Series say which KVCluster they are of. A label `cluster` would be taken for that of Kubernetes. */
const relabelings = [
  { sourceLabels: ['__meta_kubernetes_pod_label_app_kubernetes_io_instance'], targetLabel: 'kvcluster' },
];

function access(cluster: KVCluster): Readonly<Record<string, unknown>> {
  const { auth, tls } = cluster.spec;
  const token = { credentials: { name: authSecretName(cluster), key: 'metrics' } };
  return compact({
    scheme: tls?.http === undefined ? undefined : 'https',
    tlsConfig:
      tls?.http === undefined ? undefined : tlsConfig(cluster, tlsSecretName(cluster, 'http', tls.http)),
    authorization: auth.enabled ? token : undefined,
  });
}

/** Prometheus asks by address: the certificate is held against the name that all pods have. */
function tlsConfig(cluster: KVCluster, name: string): Readonly<Record<string, unknown>> {
  return { serverName: headlessHost(cluster), ca: { secret: { name, key: 'ca.crt' } } };
}
