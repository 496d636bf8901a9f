import { randomHex } from '../../../store/ports/random.ts';
import { authSecret } from '../../children/auth-secret.ts';
import { wantedStatefulSet } from '../../children/children.ts';
import type { ActOf } from '../../core/plan/act.ts';
import { type KubeObject, keyOf } from '../../kube/resource.ts';
import { statefulSets } from '../../kube/resources.ts';
import type { ActContext, Perform } from '../act-context.ts';
import { childResource } from '../kinds.ts';
import { wantedChildren } from '../wanted-forms.ts';

const TOKEN_BYTES = 24;

export const applyChild: Perform<ActOf<'apply-child'>> = async (context, { kind, name }) => {
  const { seen, client, applied, signal } = context;
  const resource = childResource(kind);
  if (kind === 'Secret') return await createSecret(context);
  const wanted = wantedChildren(seen.cluster, seen.facts);
  const child = wanted.find((each) => each.kind === kind && each.metadata.name === name);
  if (child === undefined) return;
  applied.note(keyOf(seen.cluster), kind, await client.apply<KubeObject>(resource, child, {}, signal));
};

/** Made once: an answer that it exists already is what was wanted. */
async function createSecret({ seen, client, random, signal }: ActContext): Promise<void> {
  const secret = authSecret(seen.cluster, () => randomHex(random, TOKEN_BYTES));
  await client.create(childResource('Secret'), secret, signal);
}

export const deleteChild: Perform<ActOf<'delete-child'>> = async (
  { seen, client, signal },
  { kind, name },
) => {
  const resource = childResource(kind);
  const { namespace, uid: owner } = seen.cluster.metadata;
  const live = await client.get(resource, { namespace, name }, signal);
  const isOurs = live?.metadata.ownerReferences?.some(({ uid, controller }) => controller && uid === owner);
  if (live === undefined || !isOurs) return;
  const { uid, resourceVersion } = live.metadata;
  await client.remove(resource, { namespace, name }, { uid, resourceVersion }, signal);
};

export const applyStatefulSet: Perform<ActOf<'apply-stateful-set'>> = async (
  { seen, client, applied, signal },
  { replicas },
) => {
  const wanted = wantedStatefulSet(seen.cluster, { ...seen.facts, replicas });
  const made = await client.apply<KubeObject>(statefulSets, wanted, {}, signal);
  applied.note(keyOf(seen.cluster), statefulSets.kind, made);
};

/** As the StatefulSet was seen: a call may be late, and a pod that had not run when it was decided may have joined since. */
export const setReplicas: Perform<ActOf<'set-replicas'>> = async ({ seen, client, signal }, act) => {
  const { name, namespace } = seen.cluster.metadata;
  // The replicas are a field of ours by apply as well; a patch by the same manager leaves it so.
  await client.mergePatch(
    statefulSets,
    { namespace, name },
    { spec: { replicas: act.to } },
    { uid: act.uid, resourceVersion: act.version },
    signal,
  );
};

export const orphanStatefulSet: Perform<ActOf<'orphan-stateful-set'>> = async (context, { uid }) =>
  await removeStatefulSet(context, uid, 'Orphan');

export const deleteStatefulSet: Perform<ActOf<'delete-stateful-set'>> = async (context, { uid }) =>
  await removeStatefulSet(context, uid, 'Background');

async function removeStatefulSet(
  { seen, client, signal }: ActContext,
  uid: string,
  propagationPolicy: 'Orphan' | 'Background',
): Promise<void> {
  const { name, namespace } = seen.cluster.metadata;
  await client.remove(statefulSets, { namespace, name }, { uid, propagationPolicy }, signal);
}
