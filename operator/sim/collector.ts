import type { KubeObject, Resource } from '../kube/resource.ts';
import { pods, secrets, statefulSets } from '../kube/resources.ts';
import { childResources, kvClusters } from '../reconcile/kinds.ts';
import type { SimApi } from './api.ts';

const OWNED: readonly Resource[] = [
  ...childResources({ podMonitor: true, certificate: true }),
  statefulSets,
  secrets,
  pods,
];

/** Those that others own are collected by nobody here. */
const KNOWN: ReadonlySet<string> = new Set([kvClusters.kind, statefulSets.kind]);

/** The garbage collector: one object whose owner is gone, at each step. */
export function collectOne(api: SimApi): boolean {
  const owners = new Set(
    [...api.list(kvClusters), ...api.list(statefulSets)].map(({ metadata }) => metadata.uid),
  );
  for (const resource of OWNED)
    for (const { metadata } of api.list<KubeObject>(resource)) {
      const owner = metadata.ownerReferences?.find(
        ({ controller, kind }) => controller && KNOWN.has(kind),
      )?.uid;
      if (owner === undefined || owners.has(owner) || metadata.deletionTimestamp !== undefined) continue;
      api.remove(resource, metadata);
      return true;
    }
  return false;
}
