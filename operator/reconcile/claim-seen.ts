import { ANNOTATIONS } from '../children/names.ts';
import type { ClaimSeen } from '../core/observation.ts';
import type { Node, PersistentVolumeClaim, Pod } from '../kube/resources.ts';
import { quantityOf } from './quantity.ts';

/** Says that the member that wrote on the volume has left; with its number, or `unknown`. */
export const LEFT_ANNOTATION = 'kvorum.dev/left';
/** Written by the scheduler: for which node the volume was made. */
const NODE_ANNOTATION = 'volume.kubernetes.io/selected-node';
/** What the scheduler says of a pod that could run anywhere but for its volume. */
const AFFINITY_TEXT = /volume node affinity|PersistentVolume's node affinity/i;

export type ClaimFacts = {
  /** Of the KVCluster; all of the namespace where a claim may be deleted. */
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[] | undefined;
  /** When the KVCluster was made. */
  readonly sinceMs: number;
};

export function claimSeen(claim: PersistentVolumeClaim, ordinal: number, facts: ClaimFacts): ClaimSeen {
  const { metadata, spec } = claim;
  const { annotations = {}, name } = metadata;
  const mounting = facts.pods.filter((pod) => mounts(pod, name));
  return {
    name,
    ordinal,
    uid: metadata.uid ?? '',
    clusterUid: annotations[ANNOTATIONS.clusterUid],
    clusterId: annotations[ANNOTATIONS.clusterId],
    left: annotations[LEFT_ANNOTATION],
    isTerminating: metadata.deletionTimestamp !== undefined,
    mountedBy: mounting.map((pod) => pod.metadata.name),
    requestedBytes: quantityOf(spec?.resources?.requests?.storage),
    isInherited: Date.parse(metadata.creationTimestamp ?? '') < facts.sinceMs,
    isLost: isLost(claim, mounting, facts),
  };
}

function mounts({ spec }: Pod, claim: string): boolean {
  return spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === claim) === true;
}

/** Kubernetes says that the volume is gone; or it is tied to a node that is. */
function isLost(
  { metadata, status }: PersistentVolumeClaim,
  pods: readonly Pod[],
  { nodes }: ClaimFacts,
): boolean {
  if (status?.phase === 'Lost') return true;
  const node = metadata.annotations?.[NODE_ANNOTATION];
  if (node === undefined || nodes === undefined) return false;
  const isNodeGone = nodes.every((each) => each.metadata.name !== node);
  return isNodeGone && pods.some(isHeldByVolume);
}

function isHeldByVolume({ status }: Pod): boolean {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return scheduled?.status === 'False' && AFFINITY_TEXT.test(scheduled.message ?? '');
}
