import { SETTINGS } from '../../store/config/settings.ts';
import { type KVCluster, type KVClusterSpec, PORT_HTTP, PORT_PEER, PORT_RESP } from '../api/kvcluster.ts';
import { STOP_OVERHEAD_SECONDS } from '../api/rules.ts';
import { compact } from './kube-object.ts';
import { CONTAINER, podHost, ZONE_LABEL } from './names.ts';
import { CLI, FILES } from './paths.ts';
import { probes } from './probes.ts';
import { volumeMounts } from './volumes.ts';

type Json = Readonly<Record<string, unknown>>;

const HOST_LABEL = 'kubernetes.io/hostname';

export function container(cluster: KVCluster): Json {
  const { spec } = cluster;
  return compact({
    name: CONTAINER,
    image: imageName(spec),
    imagePullPolicy: spec.image.pullPolicy,
    command: CLI,
    args: ['server'],
    env: environment(cluster),
    ports: [
      { name: 'http', containerPort: PORT_HTTP, protocol: 'TCP' },
      { name: 'peer', containerPort: PORT_PEER, protocol: 'TCP' },
      ...(spec.resp.enabled ? [{ name: 'resp', containerPort: PORT_RESP, protocol: 'TCP' }] : []),
    ],
    resources: spec.resources,
    ...probes(cluster),
    lifecycle: { preStop: { exec: { command: preStop(spec) } } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: volumeMounts(cluster),
    terminationMessagePolicy: 'FallbackToLogsOnError',
  });
}

/** A digest says more than a tag. */
export function imageName({ image }: Pick<KVClusterSpec, 'image'>): string {
  return image.digest === undefined
    ? `${image.repository}:${image.tag}`
    : `${image.repository}@${image.digest}`;
}

/**
 * The pod waits until no quorum is lost with it, within what its grace period leaves, and hands over what it leads. It goes on serving
 * meanwhile, and for long enough that its address is in use nowhere any more.
 */
function preStop(spec: KVClusterSpec): readonly string[] {
  const graceMs = spec.config?.['shutdown.graceMs'] ?? SETTINGS['shutdown.graceMs'].default;
  const waitSeconds = spec.terminationGracePeriodSeconds - Math.ceil(graceMs / 1000) - STOP_OVERHEAD_SECONDS;
  return [...CLI, 'nodes', 'prestop', '--wait', String(Math.max(0, waitSeconds))];
}

/** What differs from pod to pod; the rest is in the settings file. `$(NAME)` is replaced by Kubernetes. */
function environment(cluster: KVCluster): readonly Json[] {
  const { auth, tls } = cluster.spec;
  const host = podHost(cluster, '$(KVORUM_NODE_NAME)');
  return [
    { name: 'KVORUM_CONFIG', value: FILES.settings },
    fromField('KVORUM_NODE_NAME', 'metadata.name'),
    fromField('KVORUM_NODE_ZONE', zoneField(cluster)),
    { name: 'KVORUM_PEER_ADVERTISE', value: `${host}:${PORT_PEER}` },
    { name: 'KVORUM_HTTP_ADVERTISE', value: `${host}:${PORT_HTTP}` },
    // For `kvorum` within the pod: by kubectl exec, and as the hook before its end.
    {
      name: 'KVORUM_URL',
      value: tls?.http ? `https://${host}:${PORT_HTTP}` : `http://127.0.0.1:${PORT_HTTP}`,
    },
    ...(tls?.http ? [{ name: 'KVORUM_CA', value: `${FILES.httpTls}/ca.crt` }] : []),
    ...(auth.enabled ? [{ name: 'KVORUM_TOKEN_FILE', value: `${FILES.auth}/admin` }] : []),
  ];
}

const fromField = (name: string, fieldPath: string): Json => ({
  name,
  valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
});

/**
 * Kubernetes copies the zone of the node to the pod from version 1.35 on. Before that this is empty, and the operator tells the store
 * the zones by the labels of the nodes.
 */
function zoneField({ spec }: KVCluster): string {
  const { topologyKey } = spec.topologySpread;
  return topologyKey === HOST_LABEL ? 'spec.nodeName' : `metadata.labels['${topologyKey || ZONE_LABEL}']`;
}
