import { leases, type Pod, pods } from '../../operator/kube/resources.ts';
import { type Kubectl, until } from './kubectl.ts';
import type { Scene } from './scenario.ts';

/** The operator of the cluster, which all scenarios share. */

export const OPERATOR_NAMESPACE = 'kvorum-system';
const LEASE = 'kvorum-operator';
const SCENARIO_NAMESPACE = /^kvorum-.+-[0-9a-f]{6}$/;
const LEAD_LIMIT_MS = 90_000;
const ALONE_LIMIT_MS = 600_000;
const METRICS_PORT = 8080;

/** Who holds the lease: `POD-` and what tells one process in it from the next. */
export async function holderOf({ kube }: Pick<Scene, 'kube'>): Promise<string | undefined> {
  const lease = await kube.get(leases, { namespace: OPERATOR_NAMESPACE, name: LEASE });
  return lease?.spec?.holderIdentity || undefined;
}

/** The pod that leads, and its process by the holder of the lease; of others than `before` where it is given. */
export async function untilLeads(
  scene: Pick<Scene, 'kube'>,
  before?: string,
): Promise<{ readonly pod: string; readonly holder: string }> {
  return await until('an operator leads', LEAD_LIMIT_MS, async () => {
    const holder = await holderOf(scene);
    if (holder === undefined || holder === before) return undefined;
    const pod = (await operatorPods(scene)).find(({ metadata }) => holder.startsWith(`${metadata.name}-`));
    return pod === undefined ? undefined : { pod: pod.metadata.name, holder };
  });
}

export async function operatorPods({ kube }: Pick<Scene, 'kube'>): Promise<readonly Pod[]> {
  const labelSelector = 'app.kubernetes.io/component=operator';
  const { items } = await kube.list(pods, { namespace: OPERATOR_NAMESPACE, labelSelector });
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Of the operator that leads: lines of a metric, as `{labels} value`. */
export async function operatorMetric(
  scene: Scene,
  name: string,
): Promise<readonly { readonly labels: string; readonly value: number }[]> {
  const { pod } = await untilLeads(scene);
  const path = `/api/v1/namespaces/${OPERATOR_NAMESPACE}/pods/${pod}:${METRICS_PORT}/proxy/metrics`;
  const text = await scene.kubectl.run('get', '--raw', path);
  return text.split('\n').flatMap((line) => {
    const [, labels = '', value] = new RegExp(`^${name}({.*})? ([^ ]+)$`).exec(line) ?? [];
    return value === undefined ? [] : [{ labels, value: Number(value) }];
  });
}

/** What hurts the whole cluster waits until no other scenario is there. */
export async function untilAlone({ kubectl }: { readonly kubectl: Kubectl }): Promise<void> {
  await until('no other scenario runs', ALONE_LIMIT_MS, async () => {
    const text = await kubectl.run('get', 'namespaces', '--output', 'name');
    const names = text.split('\n').map((line) => line.replace('namespace/', ''));
    const others = names.filter((name) => SCENARIO_NAMESPACE.test(name) && name !== kubectl.namespace);
    if (others.length > 0) throw new Error(`there is ${others.join(', ')}`);
    return true;
  });
}
