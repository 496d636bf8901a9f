import { PEERS_SUFFIX } from '../../api/kvcluster.ts';
import type { ClaimSeen, Observation, PodSeen } from '../observation.ts';
import { isKept } from './act.ts';
import { act, blocking, type Finding, wait } from './finding.ts';
import { isOurs } from './ordinals.ts';

/**
 * A KVCluster that is deleted. What it owns is collected with it. A finalizer holds it only where something would be left behind: volumes that are to
 * go as well, since nobody else deletes them, and pods while no StatefulSet has them. Volumes go after the pods, so that nothing is written to what is
 * being deleted. The Service of the pods goes first: that is how they know that the whole cluster goes, and that none has to wait for the others.
 */
export function deletion(seen: Observation): readonly Finding[] {
  const { cluster } = seen;
  if (!cluster.isDeleting) return upkeep(seen);
  if (!cluster.hasFinalizer)
    return [blocking(wait('spec', 'Deleting', 'is being deleted; volumes are kept'))];
  return [endOfPods(seen) ?? endOfVolumes(seen)];
}

/** Undefined once nothing runs any more, or all that does is about to be collected. */
function endOfPods(seen: Observation): Finding | undefined {
  const { statefulSet, pods, children, cluster } = seen;
  const hasSet = statefulSet?.owner === 'this';
  const orphan = orphansOf(seen).find(({ isTerminating }) => !isTerminating);
  const isKeptAll = isKept(cluster.wish.whenDeleted);
  if (isKeptAll && orphan === undefined && !(hasSet && statefulSet.isDeleting)) return undefined;
  const peers = cluster.name + PEERS_SUFFIX;
  const service = children.find(({ kind, name }) => kind === 'Service' && name === peers);
  if (service?.owner === 'this' && service.seenHash !== undefined)
    return act('spec', 'is being deleted: nobody waits for anybody', {
      ...{ type: 'delete-child', kind: 'Service', name: service.name },
    });
  if (hasSet && !statefulSet.isDeleting)
    return act('spec', 'is being deleted: its pods first', {
      ...{ type: 'delete-stateful-set', uid: statefulSet.uid },
    });
  if (orphan !== undefined)
    return act('spec', `is being deleted: ${orphan.name}, which no StatefulSet has`, {
      ...{ type: 'end-pod', pod: orphan.name, uid: orphan.uid },
    });
  if (!hasSet && pods.length === 0) return undefined;
  return blocking(wait('spec', 'Deleting', `is being deleted: waiting for ${pods.length} pods to end`));
}

function endOfVolumes(seen: Observation): Finding {
  if (isKept(seen.cluster.wish.whenDeleted)) return release('volumes are kept');
  const untaken = seen.claims.find((claim) => isToBeTakenOver(seen, claim));
  // Else a part of a cluster would be left, which the next KVCluster of this name would take over.
  if (untaken !== undefined)
    return act('spec', `is being deleted with its volumes: ${untaken.name} of an earlier one as well`, {
      ...{ type: 'adopt-claim', claim: untaken.name, uid: untaken.uid },
    });
  // The lowest first: one whose labels somebody changed is found by its name alone, as long as there are higher ones (reconcile/family.ts).
  const own = seen.claims.filter((claim) => isOurs(seen, claim));
  const claims = own.toSorted((a, b) => a.ordinal - b.ordinal);
  const next = claims.find(({ isTerminating }) => !isTerminating);
  if (next !== undefined)
    return act('spec', `is being deleted with its volumes: ${next.name}`, {
      type: 'delete-claim',
      claim: next.name,
      uid: next.uid,
      why: 'cluster-deleted',
    });
  if (claims.length > 0)
    return blocking(wait('spec', 'Deleting', `is being deleted: waiting for ${claims.length} volumes to go`));
  return release('its volumes are deleted');
}

/** An earlier KVCluster left it, of whose store this one took over the identity, and was deleted before it had taken over all volumes. */
function isToBeTakenOver(seen: Observation, claim: ClaimSeen): boolean {
  const { clusterId } = seen.cluster;
  return (
    !isOurs(seen, claim) && !claim.isTerminating && clusterId !== undefined && claim.clusterId === clusterId
  );
}

/** Pods on volumes of this cluster that no StatefulSet has: it is being made anew, or somebody deleted it without them. */
function orphansOf(seen: Observation): readonly PodSeen[] {
  return seen.pods.filter(
    ({ isOrphan, name }) =>
      isOrphan && seen.claims.some((claim) => isOurs(seen, claim) && claim.mountedBy.includes(name)),
  );
}

function release(why: string): Finding {
  return act('spec', `is being deleted: ${why}`, { type: 'set-finalizer', isWanted: false });
}

/** The finalizer is there exactly while something would be left behind. */
function upkeep(seen: Observation): readonly Finding[] {
  const { cluster, statefulSet } = seen;
  const isVolumes = !isKept(cluster.wish.whenDeleted);
  const isSet = statefulSet?.isImmutablyDifferent === true || orphansOf(seen).length > 0;
  const isWanted = isVolumes || isSet;
  if (cluster.wish.isPaused || isWanted === cluster.hasFinalizer) return [];
  return [act('spec', whyHeld(isVolumes, isSet), { type: 'set-finalizer', isWanted })];
}

function whyHeld(isVolumes: boolean, isSet: boolean): string {
  if (isVolumes) return 'volumes are to be deleted with the cluster';
  return isSet ? 'the StatefulSet is made anew' : 'volumes outlive the cluster';
}
