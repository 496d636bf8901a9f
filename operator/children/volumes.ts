import type { KVCluster } from '../api/kvcluster.ts';
import type { ChildFacts } from './facts.ts';
import { compact } from './kube-object.ts';
import {
  ANNOTATIONS,
  authSecretName,
  commonLabels,
  configName,
  DATA_VOLUME,
  tlsSecretName,
} from './names.ts';
import { FILES } from './paths.ts';

type Json = Readonly<Record<string, unknown>>;
type Mount = { readonly volume: Json & { readonly name: string }; readonly path: string };

/** What is kept: one claim for each pod, which says whose it is. */
export function claimTemplate(cluster: KVCluster, { clusterId }: ChildFacts): Json {
  const { size, storageClassName } = cluster.spec.storage;
  const annotations = { [ANNOTATIONS.clusterUid]: cluster.metadata.uid, [ANNOTATIONS.clusterId]: clusterId };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: DATA_VOLUME, labels: commonLabels(cluster), annotations },
    spec: compact({
      accessModes: ['ReadWriteOnce'],
      volumeMode: 'Filesystem',
      resources: { requests: { storage: size } },
      storageClassName,
    }),
  };
}

export function volumes(cluster: KVCluster): readonly Json[] {
  return mounts(cluster).map(({ volume }) => volume);
}

/** Only what is to be kept, and /tmp, can be written to. */
export function volumeMounts(cluster: KVCluster): readonly Json[] {
  const others = mounts(cluster).map(({ volume, path }) => ({
    name: volume.name,
    mountPath: path,
    ...(path !== FILES.tmp && { readOnly: true }),
  }));
  return [{ name: DATA_VOLUME, mountPath: FILES.volume }, ...others];
}

function mounts(cluster: KVCluster): readonly Mount[] {
  const { auth, tls } = cluster.spec;
  return [
    { volume: { name: 'config', configMap: { name: configName(cluster) } }, path: FILES.config },
    { volume: { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } }, path: FILES.tmp },
    ...(auth.enabled ? [secret('auth', authSecretName(cluster), FILES.auth)] : []),
    ...(tls?.peer ? [secret('peer-tls', tlsSecretName(cluster, 'peer', tls.peer), FILES.peerTls)] : []),
    ...(tls?.http ? [secret('http-tls', tlsSecretName(cluster, 'http', tls.http), FILES.httpTls)] : []),
  ];
}

/** Readable by the group of the volume, which is that of the process, and by nobody else. */
const secret = (name: string, secretName: string, path: string): Mount => ({
  volume: { name, secret: { secretName, defaultMode: 0o440 } },
  path,
});
