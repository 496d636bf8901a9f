import type { Act, Refusal } from '../core/plan/act.ts';
import { camelCase } from '../core/status/conditions.ts';
import { isAlreadyExists, KubeError } from '../kube/kube-error.ts';
import { StoreRefusal } from '../store-view/store-view.ts';
import type { ActContext } from './act-context.ts';
import {
  applyChild,
  applyStatefulSet,
  deleteChild,
  deleteStatefulSet,
  orphanStatefulSet,
  setReplicas,
} from './acts/child-acts.ts';
import { adoptClaim, deleteClaim, expandClaim, markClaim, replaceVolume } from './acts/claim-acts.ts';
import { recordClusterId, setFinalizer } from './acts/cluster-acts.ts';
import { deleteLostPod, endPod, restartPod } from './acts/pod-acts.ts';
import {
  bootstrapStore,
  cancelDrain,
  changeFactor,
  drainMember,
  replaceMember,
  setZone,
} from './acts/store-acts.ts';

/** Does it; what is returned is a refusal that another act may stand behind, what is thrown is tried again later. */
export async function runAct(context: ActContext, act: Act): Promise<Refusal | undefined> {
  try {
    await perform(context, act);
    return undefined;
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    const code = refusalCode(error);
    if (code === undefined) throw error;
    return { act, code, message: (error as Error).message };
  }
}

/** The same request would be refused again: the store's no, and the API server's to what is wrong with an object. */
function refusalCode(error: unknown): string | undefined {
  if (error instanceof StoreRefusal) return camelCase(error.code.toLowerCase());
  if (!(error instanceof KubeError)) return undefined;
  return [400, 403, 405, 422].includes(error.status) ? camelCase(error.reason) : undefined;
}

function perform(context: ActContext, act: Act): Promise<void> {
  switch (act.type) {
    case 'record-cluster-id':
      return recordClusterId(context, act);
    case 'set-finalizer':
      return setFinalizer(context, act);
    case 'apply-child':
      return applyChild(context, act);
    case 'delete-child':
      return deleteChild(context, act);
    case 'apply-stateful-set':
      return applyStatefulSet(context, act);
    case 'orphan-stateful-set':
      return orphanStatefulSet(context, act);
    case 'delete-stateful-set':
      return deleteStatefulSet(context, act);
    case 'set-replicas':
      return setReplicas(context, act);
    case 'adopt-claim':
      return adoptClaim(context, act);
    case 'mark-claim':
      return markClaim(context, act);
    case 'expand-claim':
      return expandClaim(context, act);
    case 'delete-claim':
      return deleteClaim(context, act);
    case 'restart-pod':
      return restartPod(context, act);
    case 'end-pod':
      return endPod(context, act);
    case 'delete-lost-pod':
      return deleteLostPod(context, act);
    case 'replace-volume':
      return replaceVolume(context, act);
    case 'bootstrap':
      return bootstrapStore(context, act);
    case 'drain':
      return drainMember(context, act);
    case 'replace-member':
      return replaceMember(context, act);
    case 'cancel-drain':
      return cancelDrain(context, act);
    case 'change-factor':
      return changeFactor(context, act);
    case 'set-zone':
      return setZone(context, act);
  }
}
