import type {
  CoreV1Event,
  EventsV1Event,
  V1ConfigMap,
  V1CustomResourceDefinition,
  V1Lease,
  V1Namespace,
  V1NetworkPolicy,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1Secret,
  V1Service,
  V1ServiceAccount,
  V1StatefulSet,
  V1StorageClass,
} from '@kubernetes/client-node';
import type { Known, Resource } from './resource.ts';

export type Namespace = Known<V1Namespace>;
export type Node = Known<V1Node>;
export type PersistentVolume = Known<V1PersistentVolume>;
export type Pod = Known<V1Pod>;
export type Service = Known<V1Service>;
export type ConfigMap = Known<V1ConfigMap>;
export type Secret = Known<V1Secret>;
export type ServiceAccount = Known<V1ServiceAccount>;
export type PersistentVolumeClaim = Known<V1PersistentVolumeClaim>;
export type CoreEvent = Known<CoreV1Event>;
export type Event = Known<EventsV1Event>;
export type StatefulSet = Known<V1StatefulSet>;
export type PodDisruptionBudget = Known<V1PodDisruptionBudget>;
export type NetworkPolicy = Known<V1NetworkPolicy>;
export type StorageClass = Known<V1StorageClass>;
export type Lease = Known<V1Lease>;
export type CustomResourceDefinition = Known<V1CustomResourceDefinition>;

const core = { group: '', version: 'v1' } as const;

export const namespaces: Resource<Namespace> = {
  ...core,
  ...{ kind: 'Namespace', plural: 'namespaces', isNamespaced: false },
};
export const nodes: Resource<Node> = { ...core, kind: 'Node', plural: 'nodes', isNamespaced: false };
export const persistentVolumes: Resource<PersistentVolume> = {
  ...core,
  ...{ kind: 'PersistentVolume', plural: 'persistentvolumes', isNamespaced: false },
};
export const pods: Resource<Pod> = { ...core, kind: 'Pod', plural: 'pods', isNamespaced: true };
export const services: Resource<Service> = {
  ...core,
  kind: 'Service',
  plural: 'services',
  isNamespaced: true,
};
export const configMaps: Resource<ConfigMap> = {
  ...core,
  ...{ kind: 'ConfigMap', plural: 'configmaps', isNamespaced: true },
};
export const secrets: Resource<Secret> = { ...core, kind: 'Secret', plural: 'secrets', isNamespaced: true };
export const serviceAccounts: Resource<ServiceAccount> = {
  ...core,
  ...{ kind: 'ServiceAccount', plural: 'serviceaccounts', isNamespaced: true },
};
export const persistentVolumeClaims: Resource<PersistentVolumeClaim> = {
  ...core,
  ...{ kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims', isNamespaced: true },
};
export const coreEvents: Resource<CoreEvent> = {
  ...core,
  kind: 'Event',
  plural: 'events',
  isNamespaced: true,
};
export const events: Resource<Event> = {
  ...{ group: 'events.k8s.io', version: 'v1', kind: 'Event', plural: 'events', isNamespaced: true },
};
export const statefulSets: Resource<StatefulSet> = {
  ...{ group: 'apps', version: 'v1', kind: 'StatefulSet', plural: 'statefulsets', isNamespaced: true },
};
export const podDisruptionBudgets: Resource<PodDisruptionBudget> = {
  ...{ group: 'policy', version: 'v1', kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets' },
  isNamespaced: true,
};
export const networkPolicies: Resource<NetworkPolicy> = {
  ...{ group: 'networking.k8s.io', version: 'v1', kind: 'NetworkPolicy', plural: 'networkpolicies' },
  isNamespaced: true,
};
export const storageClasses: Resource<StorageClass> = {
  ...{ group: 'storage.k8s.io', version: 'v1', kind: 'StorageClass', plural: 'storageclasses' },
  isNamespaced: false,
};
export const leases: Resource<Lease> = {
  ...{ group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', plural: 'leases', isNamespaced: true },
};
export const customResourceDefinitions: Resource<CustomResourceDefinition> = {
  ...{ group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' },
  ...{ plural: 'customresourcedefinitions', isNamespaced: false },
};

/** All of the above. */
export const knownResources: readonly Resource[] = [
  ...[namespaces, nodes, persistentVolumes, pods, services, configMaps, secrets, serviceAccounts],
  ...[persistentVolumeClaims, coreEvents, events, statefulSets, podDisruptionBudgets, networkPolicies],
  ...[storageClasses, leases, customResourceDefinitions],
];
