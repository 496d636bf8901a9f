import type { ClaimSeen, Observation, StatefulSetSeen } from '../observation.ts';
import { act, blocking, type Finding, wait } from './finding.ts';
import { isOurs } from './ordinals.ts';

/** The objects beside the StatefulSet: all that differ, in the order in which they are needed. */
export function children(seen: Observation): readonly Finding[] {
  return seen.children.flatMap(({ kind, name, wantedHash, seenHash, owner }): Finding[] => {
    if (wantedHash === seenHash) return [];
    if (wantedHash !== undefined)
      return [act('children', `${kind} ${name} differs from the spec`, { type: 'apply-child', kind, name })];
    const message = `${kind} ${name} is not wanted any more`;
    return owner === 'this' ? [act('children', message, { type: 'delete-child', kind, name })] : [];
  });
}

/**
 * The StatefulSet, but for its replicas: these follow from what the store says. Its update strategy is OnDelete, so that no change here
 * stops a pod (docs/adr/0011).
 */
export function statefulSet(seen: Observation): readonly Finding[] {
  const found = seen.statefulSet;
  if (found === undefined) {
    const replicas = replicasToBeginWith(seen);
    return [
      act('children', `StatefulSet with ${replicas} replicas`, { type: 'apply-stateful-set', replicas }),
    ];
  }
  if (found.isDeleting) return [blocking(wait('children', 'Recreating', 'the StatefulSet is being deleted'))];
  return [...growth(seen), ...difference(found)];
}

/** Claims grow one by one; the template of the StatefulSet is for those to come. Where a class refuses it, the others go on. */
function growth(seen: Observation): readonly Finding[] {
  const bytes = seen.cluster.wish.storageBytes;
  const isSmall = (claim: ClaimSeen) =>
    isOurs(seen, claim) && claim.left === undefined && !claim.isTerminating && claim.requestedBytes < bytes;
  return seen.claims.filter(isSmall).map(({ name, uid }) => {
    return act('storage', `volume ${name} grows`, { type: 'expand-claim', claim: name, uid, bytes });
  });
}

function difference({ uid, owner, ...found }: StatefulSetSeen): readonly Finding[] {
  if (found.isImmutablyDifferent) {
    const message = 'the StatefulSet is made anew, without its pods, for what cannot be changed in it';
    return [act('children', message, { type: 'orphan-stateful-set', uid })];
  }
  if (found.seenHash === found.wantedHash && owner === 'this') return [];
  const { replicas } = found;
  return [act('children', 'the StatefulSet differs from the spec', { type: 'apply-stateful-set', replicas })];
}

/** One that was deleted comes back with all of the volumes that hold something. */
function replicasToBeginWith(seen: Observation): number {
  const kept = seen.claims.filter((claim) => isOurs(seen, claim) && claim.left === undefined);
  return Math.max(seen.cluster.wish.replicas, ...kept.map(({ ordinal }) => ordinal + 1));
}
