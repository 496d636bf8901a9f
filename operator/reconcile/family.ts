import type { KVCluster } from '../api/kvcluster.ts';
import { claimName, podName, selectorLabels } from '../children/names.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';
import {
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaims,
  pods,
  type StatefulSet,
} from '../kube/resources.ts';
import { LEFT_ANNOTATION } from './claim-seen.ts';
import type { KubeView } from './kube-view.ts';

/** What bears the names of one KVCluster's pods and volumes, whatever its labels say. */
export type Family = { readonly pods: readonly Pod[]; readonly claims: readonly PersistentVolumeClaim[] };

/** So many names are asked for one by one; for more the whole namespace is listed. */
const ASKED_MAX = 12;

/**
 * By their labels, so that a look does not cost more with every other KVCluster of the namespace; and by name those that are missing then, since
 * anybody may take labels away. All pods of the namespace come only where a volume may be deleted: somebody else's pod may have mounted it.
 */
export async function familyOf(
  cluster: KVCluster,
  set: StatefulSet | undefined,
  view: KubeView,
): Promise<Family> {
  const { namespace } = cluster.metadata;
  const labels = selectorLabels(cluster);
  const [labelledPods, labelledClaims] = await Promise.all([
    view.list(pods, namespace, labels),
    view.list(persistentVolumeClaims, namespace, labels),
  ]);
  const count = countOf(cluster, set, [...labelledPods, ...labelledClaims]);
  const ordinals = Array.from({ length: count }, (_, ordinal) => ordinal);
  const claims = await completed(
    { resource: persistentVolumeClaims, namespace, view },
    labelledClaims,
    ordinals.map((ordinal) => claimName(cluster, ordinal)),
  );
  if (claims.some((claim) => mayGo(cluster, claim)))
    return { claims, pods: await view.list(pods, namespace) };
  const names = ordinals.map((ordinal) => podName(cluster, ordinal));
  return { claims, pods: await completed({ resource: pods, namespace, view }, labelledPods, names) };
}

/** More than the highest ordinal that is known of. */
function countOf(
  { metadata, spec, status }: KVCluster,
  set: StatefulSet | undefined,
  found: readonly KubeObject[],
): number {
  const names = [
    ...found.map((object) => object.metadata.name),
    ...(status?.members ?? []).map(({ name }) => name),
  ];
  const counts = names.map((name) => {
    const [, ordinal] = name.match(/-(\d{1,4})$/) ?? [];
    return name.includes(`${metadata.name}-`) && ordinal !== undefined ? Number(ordinal) + 1 : 0;
  });
  return Math.max(spec.replicas, set?.spec?.replicas ?? 0, ...counts);
}

function mayGo({ metadata, spec }: KVCluster, claim: PersistentVolumeClaim): boolean {
  if (claim.metadata.annotations?.[LEFT_ANNOTATION] !== undefined) return true;
  return metadata.deletionTimestamp !== undefined && spec.storage.retention.whenDeleted === 'Delete';
}

type Where<T extends KubeObject> = {
  readonly resource: Resource<T>;
  readonly namespace: string;
  readonly view: KubeView;
};

async function completed<T extends KubeObject>(
  { resource, namespace, view }: Where<T>,
  found: readonly T[],
  names: readonly string[],
): Promise<readonly T[]> {
  const known = new Set(found.map(({ metadata }) => metadata.name));
  const missing = names.filter((name) => !known.has(name));
  if (missing.length > ASKED_MAX) return await view.list(resource, namespace);
  const asked = await Promise.all(missing.map((name) => view.get(resource, { namespace, name })));
  return [...found, ...asked.filter((each) => each !== undefined)];
}
