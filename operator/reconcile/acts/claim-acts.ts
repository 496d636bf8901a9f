import { ANNOTATIONS } from '../../children/names.ts';
import type { ActOf } from '../../core/plan/act.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims, pods } from '../../kube/resources.ts';
import type { ActContext, Perform } from '../act-context.ts';
import { LEFT_ANNOTATION } from '../claim-seen.ts';

export const adoptClaim: Perform<ActOf<'adopt-claim'>> = async (context, { claim, uid }) =>
  await annotate(context, claim, uid, { [ANNOTATIONS.clusterUid]: context.seen.cluster.metadata.uid });

export const markClaim: Perform<ActOf<'mark-claim'>> = async (context, { claim, uid, left }) =>
  await annotate(context, claim, uid, { [LEFT_ANNOTATION]: left ?? null });

export const expandClaim: Perform<ActOf<'expand-claim'>> = async (context, { claim, uid, bytes }) => {
  // In the words of the spec where they mean the same.
  const { size } = context.seen.cluster.spec.storage;
  const storage = context.seen.observation.cluster.wish.storageBytes === bytes ? size : String(bytes);
  await patchClaim(context, claim, uid, { spec: { resources: { requests: { storage } } } });
};

/** Read once more, of this cluster and mounted by nobody: then it goes in exactly the state that was read. */
export const deleteClaim: Perform<ActOf<'delete-claim'>> = async (context, { claim: name, uid, why }) => {
  const { seen, client, signal } = context;
  const { namespace } = seen.cluster.metadata;
  const claim = await ourClaim(context, name, uid);
  if (claim === undefined) return;
  if (why !== 'cluster-deleted' && claim.metadata.annotations?.[LEFT_ANNOTATION] === undefined) return;
  const { items } = await client.list(pods, { namespace }, signal);
  const isMounted = items.some(({ spec }) =>
    spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === name),
  );
  if (isMounted) return;
  const { resourceVersion } = claim.metadata;
  await client.remove(persistentVolumeClaims, { namespace, name }, { uid, resourceVersion }, signal);
};

/**
 * What stands between is only that nobody can take the volume before it is gone: it is kept as long as its pod. As the pod was seen: its
 * node may have come back with the volume since.
 */
export const replaceVolume: Perform<ActOf<'replace-volume'>> = async (context, act) => {
  const { seen, client, signal } = context;
  const { namespace } = seen.cluster.metadata;
  const member = seen.observation.store.topology?.members.find(({ name }) => name === act.pod);
  if (member !== undefined) await context.store.askToStop(seen.target, act.pod, { isLook: true });
  const claim = await ourClaim(context, act.claim, act.claimUid);
  if (claim === undefined) return;
  const podRef = { namespace, name: act.pod };
  const pod = await client.get(pods, podRef, signal);
  if (pod?.metadata.resourceVersion !== act.podVersion) return;
  const { uid, resourceVersion } = claim.metadata;
  const ref = { namespace, name: act.claim };
  await client.remove(persistentVolumeClaims, ref, { uid, resourceVersion }, signal);
  const podSeen = { uid: act.podUid, resourceVersion: act.podVersion };
  await client.remove(pods, podRef, podSeen, signal);
};

/** Undefined where it is gone, another one, or of another cluster. */
async function ourClaim(
  { seen, client, signal }: ActContext,
  name: string,
  uid: string,
): Promise<PersistentVolumeClaim | undefined> {
  const { namespace, uid: clusterUid } = seen.cluster.metadata;
  const claim = await client.get(persistentVolumeClaims, { namespace, name }, signal);
  const isOurs = claim?.metadata.annotations?.[ANNOTATIONS.clusterUid] === clusterUid;
  return claim?.metadata.uid === uid && isOurs ? claim : undefined;
}

async function annotate(
  context: ActContext,
  name: string,
  uid: string,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  await patchClaim(context, name, uid, { metadata: { annotations } });
}

async function patchClaim(
  { seen, client, signal }: ActContext,
  name: string,
  uid: string,
  patch: object,
): Promise<void> {
  const { namespace } = seen.cluster.metadata;
  await client.mergePatch(persistentVolumeClaims, { namespace, name }, patch, { uid }, signal);
}
