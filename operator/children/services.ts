import { type KVCluster, PORT_HTTP, PORT_PEER } from '../api/kvcluster.ts';
import { compact, type KubeObject } from './kube-object.ts';
import { childMeta, clientName, headlessName, selectorLabels } from './names.ts';

/** A name for each pod, and one that stands for all of them: also those that are not ready, which look for their cluster. */
export function headlessService(cluster: KVCluster): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMeta(cluster, headlessName(cluster)),
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selectorLabels(cluster),
      ports: [
        { name: 'peer', port: PORT_PEER, targetPort: 'peer', protocol: 'TCP' },
        { name: 'http', port: PORT_HTTP, targetPort: 'http', protocol: 'TCP' },
      ],
    },
  };
}

/** What clients use: those that are ready. */
export function clientService(cluster: KVCluster): KubeObject {
  const { type, annotations, ports, nodePort, loadBalancerSourceRanges } = cluster.spec.service;
  const port = compact({ name: 'http', port: ports.http, targetPort: 'http', protocol: 'TCP', nodePort });
  const selector = selectorLabels(cluster);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMeta(cluster, clientName(cluster), annotations),
    spec: compact({ type, selector, ports: [port], loadBalancerSourceRanges }),
  };
}
