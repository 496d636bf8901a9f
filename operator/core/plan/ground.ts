import { PEERS_SUFFIX } from '../../api/kvcluster.ts';
import type { ClaimSeen, Observation } from '../observation.ts';
import { act, blocking, type Finding, refuse, wait } from './finding.ts';
import { isOurs, listed } from './ordinals.ts';

/** What has to be so before anything is made: not paused, a sound spec, nobody else's objects, and an identity. */

export function pause({ cluster }: Observation): readonly Finding[] {
  if (!cluster.wish.isPaused) return [];
  return [blocking(wait('spec', 'Paused', 'spec.paused is true: nothing is changed until it is false'))];
}

export function soundSpec({ cluster }: Observation): readonly Finding[] {
  const { specProblem } = cluster;
  return specProblem === undefined ? [] : [blocking(refuse('spec', specProblem.reason, specProblem.message))];
}

/**
 * The Service of peers has the name of its KVCluster with this end: the client Service of a KVCluster that is named so would be the same object.
 * Both are written by one field manager, so that the API server would let each take it from the other.
 */
export function reservedName({ cluster }: Observation): readonly Finding[] {
  if (!cluster.name.endsWith(PEERS_SUFFIX)) return [];
  const message = `a name must not end in ${PEERS_SUFFIX}, as that of the Service between the pods of another KVCluster does: choose another name`;
  return [blocking(refuse('spec', 'NameReserved', message))];
}

export function strangers({ statefulSet, children, cluster }: Observation): readonly Finding[] {
  const foreign = children.filter(({ owner, wantedHash }) => owner === 'other' && wantedHash !== undefined);
  const names = foreign.map(({ kind, name }) => `${kind} ${name}`);
  if (statefulSet?.owner === 'other') names.push(`StatefulSet ${cluster.name}`);
  if (names.length === 0) return [];
  const message = `${listed(names)} belongs to somebody else: delete or rename it, or give this cluster another name`;
  return [blocking(refuse('spec', 'NameTaken', message))];
}

/** Between a deletion and a creation of the same name everything that the first one owned is on its way out. */
export function remains({ statefulSet, children, cluster }: Observation): readonly Finding[] {
  const left = children.filter(({ owner }) => owner === 'former').map(({ kind, name }) => `${kind} ${name}`);
  if (statefulSet?.owner === 'former') left.push(`StatefulSet ${cluster.name}`);
  if (left.length === 0) return [];
  const message = `waiting until ${listed(left)} of the deleted KVCluster of this name is collected`;
  return [blocking(wait('spec', 'WaitingForCollection', message))];
}

/** All else goes on without what a missing kind would do. */
export function missingApis({ missing }: Observation): readonly Finding[] {
  return missing.map(({ field, api, from }) => {
    const message = `${field} needs ${api}, which this Kubernetes does not have: install ${from}, or take it out`;
    return refuse('spec', 'ApiMissing', message);
  });
}

/**
 * The id of the store's cluster is in the status before any pod could make it. Volumes of an earlier cluster of this name, which was deleted and kept
 * them, bring theirs along.
 */
export function identity(seen: Observation): readonly Finding[] {
  const kept = seen.claims.filter((claim) => !isOurs(seen, claim) && !claim.isTerminating);
  const unmarked = kept.filter(({ clusterUid }) => clusterUid === undefined);
  if (unmarked.length > 0) return [blocking(refuse('spec', 'VolumeTaken', foreignText(unmarked)))];
  const ids = [...new Set(kept.flatMap(({ clusterId }) => (clusterId === undefined ? [] : [clusterId])))];
  if (seen.cluster.clusterId === undefined) return [first(ids, kept)];
  const others = kept.filter(
    ({ clusterId }) => clusterId !== undefined && clusterId !== seen.cluster.clusterId,
  );
  if (others.length > 0) return [blocking(refuse('spec', 'VolumesOfSeveralClusters', mixedText(others)))];
  return kept.slice(0, 1).map(({ name, uid }) => {
    const message = `volume ${name} of an earlier cluster of this name is taken over`;
    return act('spec', message, { type: 'adopt-claim', claim: name, uid });
  });
}

function first(ids: readonly string[], kept: readonly ClaimSeen[]): Finding {
  if (ids.length > 1) return blocking(refuse('spec', 'VolumesOfSeveralClusters', mixedText(kept)));
  const message =
    ids.length === 0 ? 'drawing the id of the cluster' : 'taking over the cluster of kept volumes';
  return act('spec', message, { type: 'record-cluster-id', clusterId: ids[0] });
}

function foreignText(claims: readonly ClaimSeen[]): string {
  const names = listed(claims.map(({ name }) => name));
  return `${names} was not made for a KVCluster, and its data is not touched: delete or rename it, or give this cluster another name`;
}

function mixedText(claims: readonly ClaimSeen[]): string {
  const names = listed(claims.map(({ name }) => name));
  return `${names} holds data of another cluster than the rest: delete the volumes that are not wanted`;
}
