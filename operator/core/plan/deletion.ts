import type { Observation, PodSeen } from '../observation.ts';
import { isKept } from './act.ts';
import { act, blocking, type Finding, wait } from './finding.ts';
import { isOurs } from './ordinals.ts';

/**
 * A KVCluster that is deleted. What it owns is collected with it; only where volumes are to go as well does a finalizer hold it, since nobody
 * else deletes them. Volumes go after the pods, so that nothing is written to what is being deleted.
 */
export function deletion(seen: Observation): readonly Finding[] {
  const { cluster } = seen;
  if (!cluster.isDeleting) return upkeep(seen);
  if (!cluster.hasFinalizer)
    return [blocking(wait('spec', 'Deleting', 'is being deleted; volumes are kept'))];
  return [isKept(cluster.wish.whenDeleted) ? release('volumes are kept') : nextOfDeletion(seen)];
}

function nextOfDeletion(seen: Observation): Finding {
  const { statefulSet, pods } = seen;
  if (statefulSet?.owner === 'this' && !statefulSet.isDeleting)
    return act('spec', 'is being deleted: its pods first', {
      type: 'delete-stateful-set',
      uid: statefulSet.uid,
    });
  const orphan = pods.find(
    (pod) => statefulSet?.owner !== 'this' && !pod.isTerminating && isOfThis(seen, pod),
  );
  if (orphan !== undefined)
    return act('spec', `is being deleted: ${orphan.name}, which no StatefulSet has`, {
      type: 'end-pod',
      pod: orphan.name,
      uid: orphan.uid,
    });
  if (statefulSet?.owner === 'this' || pods.length > 0)
    return blocking(wait('spec', 'Deleting', `is being deleted: waiting for ${pods.length} pods to end`));
  const claims = seen.claims.filter((claim) => isOurs(seen, claim));
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

/** Left behind where the cluster was deleted while its StatefulSet was made anew. */
function isOfThis(seen: Observation, { name }: PodSeen): boolean {
  return seen.claims.some((claim) => isOurs(seen, claim) && claim.mountedBy.includes(name));
}

function release(why: string): Finding {
  return act('spec', `is being deleted: ${why}`, { type: 'set-finalizer', isWanted: false });
}

/** The finalizer is there exactly while something would be left behind. */
function upkeep({ cluster }: Observation): readonly Finding[] {
  const isWanted = !isKept(cluster.wish.whenDeleted);
  if (cluster.wish.isPaused || isWanted === cluster.hasFinalizer) return [];
  const why = isWanted ? 'volumes are to be deleted with the cluster' : 'volumes outlive the cluster';
  return [act('spec', why, { type: 'set-finalizer', isWanted })];
}
