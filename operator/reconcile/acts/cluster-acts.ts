import { drawId } from '../../../store/cluster/data-directory.ts';
import type { ActOf } from '../../core/plan/act.ts';
import type { Perform } from '../act-context.ts';
import { kvClusters } from '../kinds.ts';
import { FINALIZER } from '../observe.ts';

/** Only where nobody else has written meanwhile: of two operators one draws the id. */
export const recordClusterId: Perform<ActOf<'record-cluster-id'>> = async (
  { seen, client, random, signal },
  { clusterId = drawId(random) },
) => {
  const { metadata } = seen.cluster;
  const { uid, resourceVersion } = metadata;
  await client.patchStatus(kvClusters, metadata, { clusterId }, { uid, resourceVersion }, signal);
};

export const setFinalizer: Perform<ActOf<'set-finalizer'>> = async (
  { seen, client, signal },
  { isWanted },
) => {
  const { metadata } = seen.cluster;
  const others = (metadata.finalizers ?? []).filter((each) => each !== FINALIZER);
  const finalizers = isWanted ? [...others, FINALIZER] : others;
  const { uid, resourceVersion } = metadata;
  await client.mergePatch(
    kvClusters,
    metadata,
    { metadata: { finalizers } },
    { uid, resourceVersion },
    signal,
  );
};
