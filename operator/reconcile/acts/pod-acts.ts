import type { ActOf } from '../../core/plan/act.ts';
import { pods } from '../../kube/resources.ts';
import type { ActContext, Perform } from '../act-context.ts';

/**
 * The store's word stands for a minute, within which the pod is told to end, as it was seen: a call may be late, and one that was away when the
 * word was given, and has come back since, serves without it.
 */
export const restartPod: Perform<ActOf<'restart-pod'>> = async (context, act) => {
  const { pod, uid, version, gate } = act;
  const { seen, store } = context;
  if (gate === 'can-stop') await store.askToStop(seen.target, pod, { isLook: false });
  await removePod(context, pod, { uid, resourceVersion: version });
};

export const endPod: Perform<ActOf<'end-pod'>> = async (context, { pod, uid }) =>
  await removePod(context, pod, { uid });

export const deleteLostPod: Perform<ActOf<'delete-lost-pod'>> = async (context, { pod, uid }) =>
  await removePod(context, pod, { uid, gracePeriodSeconds: 0 });

async function removePod(
  { seen, client, signal }: ActContext,
  name: string,
  options: {
    readonly uid: string;
    readonly resourceVersion?: string;
    readonly gracePeriodSeconds?: number;
  },
): Promise<void> {
  const { namespace } = seen.cluster.metadata;
  await client.remove(pods, { namespace, name }, options, signal);
}
