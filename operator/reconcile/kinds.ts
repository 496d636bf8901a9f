import type { KVClusterStatus } from '../api/kvcluster.ts';
import { GROUP, KIND, PLURAL, VERSION } from '../api/kvcluster.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';
import {
  configMaps,
  networkPolicies,
  podDisruptionBudgets,
  secrets,
  serviceAccounts,
  services,
} from '../kube/resources.ts';

/** As the API server gives it: the spec is parsed before it is used. */
export type RawCluster = KubeObject & { readonly spec?: unknown; readonly status?: KVClusterStatus };

export const kvClusters: Resource<RawCluster> = {
  ...{ group: GROUP, version: VERSION, kind: KIND, plural: PLURAL, isNamespaced: true },
};

export const certificates: Resource = {
  ...{ group: 'cert-manager.io', version: 'v1', kind: 'Certificate', plural: 'certificates' },
  isNamespaced: true,
};
export const podMonitors: Resource = {
  ...{ group: 'monitoring.coreos.com', version: 'v1', kind: 'PodMonitor', plural: 'podmonitors' },
  isNamespaced: true,
};

/** Kinds that this Kubernetes may not have. */
export type OptionalApis = { readonly podMonitor: boolean; readonly certificate: boolean };

const ALWAYS: readonly Resource[] = [
  serviceAccounts,
  configMaps,
  services,
  networkPolicies,
  podDisruptionBudgets,
];

/** Kinds of children beside the StatefulSet, as far as they exist here. */
export function childResources(apis: OptionalApis): readonly Resource[] {
  return [...ALWAYS, ...(apis.certificate ? [certificates] : []), ...(apis.podMonitor ? [podMonitors] : [])];
}

export function isOptional(resource: Resource): boolean {
  return !ALWAYS.includes(resource);
}

export function childResource(kind: string): Resource {
  const found = [...ALWAYS, secrets, certificates, podMonitors].find((resource) => resource.kind === kind);
  if (found === undefined) throw new TypeError(`${kind} is no kind of a child`);
  return found;
}
