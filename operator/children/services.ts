import { type KVCluster, PORT_HTTP, PORT_PEER, PORT_RESP } from '../api/kvcluster.ts';
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
        ...(cluster.spec.resp.enabled ? [respPort(PORT_RESP)] : []),
      ],
    },
  };
}

/** By the name of the container's port: a pod that does not have it yet, or any more, is no endpoint of it. */
function respPort(port: number, nodePort?: number): Readonly<Record<string, unknown>> {
  return compact({ name: 'resp', port, targetPort: 'resp', protocol: 'TCP', nodePort });
}

/** What clients use: those that are ready. */
export function clientService(cluster: KVCluster): KubeObject {
  const { resp, service } = cluster.spec;
  const { type, annotations, ports, nodePort, respNodePort, loadBalancerSourceRanges } = service;
  const http = compact({ name: 'http', port: ports.http, targetPort: 'http', protocol: 'TCP', nodePort });
  const all = resp.enabled ? [http, respPort(ports.resp, respNodePort)] : [http];
  const selector = selectorLabels(cluster);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMeta(cluster, clientName(cluster), annotations),
    spec: compact({ type, selector, ports: all, loadBalancerSourceRanges }),
  };
}
