import type { KVCluster } from '../api/kvcluster.ts';
import { container } from './container.ts';
import type { ChildFacts } from './facts.ts';
import { hashOf, podAnnotations } from './hash.ts';
import { compact, type KubeObject } from './kube-object.ts';
import {
  ANNOTATIONS,
  childMeta,
  commonLabels,
  headlessName,
  selectorLabels,
  serviceAccountName,
  statefulSetName,
} from './names.ts';
import { scheduling } from './scheduling.ts';
import { claimTemplate, volumes } from './volumes.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Pods come and go all at once where they may (their cluster takes them in one by one), and are replaced by nobody but the operator,
 * which asks the store first.
 */
export function statefulSet(cluster: KVCluster, facts: ChildFacts): KubeObject {
  const fixed = fixedFields(cluster, facts);
  const annotations = { [ANNOTATIONS.fixedHash]: hashOf(fixed) };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: childMeta(cluster, statefulSetName(cluster), annotations),
    spec: {
      ...fixed,
      replicas: facts.replicas,
      updateStrategy: { type: 'OnDelete' },
      // Volumes are deleted by the operator alone, once their member has left.
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      revisionHistoryLimit: 3,
      template: podTemplate(cluster),
    },
  };
}

/** What Kubernetes lets nobody change: another one is made by deleting the StatefulSet without its pods. */
function fixedFields(cluster: KVCluster, facts: ChildFacts): Json {
  return {
    serviceName: headlessName(cluster),
    podManagementPolicy: 'Parallel',
    selector: { matchLabels: selectorLabels(cluster) },
    volumeClaimTemplates: [claimTemplate(cluster, facts)],
  };
}

function podTemplate(cluster: KVCluster): Json {
  const { podTemplate: own, image, securityContext, terminationGracePeriodSeconds } = cluster.spec;
  const { runAsUser, runAsGroup, fsGroup } = securityContext;
  return {
    metadata: {
      labels: { ...own?.labels, ...commonLabels(cluster) },
      annotations: { ...own?.annotations, ...podAnnotations(cluster) },
    },
    spec: compact({
      serviceAccountName: serviceAccountName(cluster),
      automountServiceAccountToken: false,
      // Variables of Services would look like settings.
      enableServiceLinks: false,
      terminationGracePeriodSeconds,
      imagePullSecrets: image.pullSecrets,
      securityContext: {
        runAsNonRoot: true,
        runAsUser,
        runAsGroup,
        fsGroup,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [container(cluster)],
      volumes: volumes(cluster),
      ...scheduling(cluster),
    }),
  };
}
