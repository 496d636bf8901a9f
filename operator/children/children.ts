import type { KVCluster } from '../api/kvcluster.ts';
import { certificates } from './certificate.ts';
import { configMap } from './config-map.ts';
import type { ChildFacts } from './facts.ts';
import { objectHash } from './hash.ts';
import type { KubeObject } from './kube-object.ts';
import { ANNOTATIONS } from './names.ts';
import { networkPolicy } from './network-policy.ts';
import { podDisruptionBudget } from './pod-disruption-budget.ts';
import { podMonitor } from './pod-monitor.ts';
import { serviceAccount } from './service-account.ts';
import { clientService, headlessService } from './services.ts';
import { statefulSet } from './stateful-set.ts';

/** What may exist of a KVCluster, by kind and name; those that are not wanted are deleted where the operator made them. */
export const CHILD_KINDS = [
  { apiVersion: 'v1', kind: 'ServiceAccount' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
  { apiVersion: 'cert-manager.io/v1', kind: 'Certificate' },
  { apiVersion: 'monitoring.coreos.com/v1', kind: 'PodMonitor' },
] as const;

/**
 * All objects that a KVCluster wants now but the StatefulSet and the Secret of tokens, in the order in which they are written: what
 * pods need comes before them.
 */
export function supportingChildren(cluster: KVCluster, facts: ChildFacts): readonly KubeObject[] {
  const wanted = [
    serviceAccount(cluster),
    configMap(cluster, facts),
    headlessService(cluster),
    clientService(cluster),
    networkPolicy(cluster, facts),
    podDisruptionBudget(cluster),
    ...certificates(cluster, facts),
    podMonitor(cluster, facts),
  ];
  return wanted.flatMap((object) => (object === undefined ? [] : withHash(object)));
}

export function wantedStatefulSet(cluster: KVCluster, facts: ChildFacts): KubeObject {
  return withHash(statefulSet(cluster, facts));
}

/** The object with the hash of itself: the operator writes it again only where that differs. */
export function withHash(object: KubeObject): KubeObject {
  const annotations = { ...object.metadata.annotations, [ANNOTATIONS.specHash]: objectHash(object) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
