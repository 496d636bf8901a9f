import { type KVCluster, PORT_HTTP, PORT_PEER, PORT_RESP } from '../api/kvcluster.ts';
import type { ChildFacts } from './facts.ts';
import { compact, type KubeObject } from './kube-object.ts';
import { childMeta, selectorLabels } from './names.ts';

/** The peer port is for members only; the ports for clients for everybody, or for those that are named and the operator. */
export function networkPolicy(cluster: KVCluster, { operatorNamespace }: ChildFacts): KubeObject | undefined {
  const { enabled, clients } = cluster.spec.networkPolicy;
  if (!enabled) return undefined;
  const members = { podSelector: { matchLabels: selectorLabels(cluster) } };
  const operator = {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': operatorNamespace } },
    podSelector: { matchLabels: { 'app.kubernetes.io/component': 'operator' } },
  };
  const clientPorts = cluster.spec.resp.enabled ? [PORT_HTTP, PORT_RESP] : [PORT_HTTP];
  const from = clients === undefined ? undefined : [members, operator, ...clients];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: childMeta(cluster, cluster.metadata.name),
    spec: {
      podSelector: { matchLabels: selectorLabels(cluster) },
      policyTypes: ['Ingress'],
      ingress: [
        { from: [members], ports: [{ port: PORT_PEER, protocol: 'TCP' }] },
        compact({ from, ports: clientPorts.map((port) => ({ port, protocol: 'TCP' })) }),
      ],
    },
  };
}
