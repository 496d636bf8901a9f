import { setTimeout as sleep } from 'node:timers/promises';
import { customResourceDefinition } from '../../operator/api/crd.ts';
import type { KVClusterStatus } from '../../operator/api/kvcluster.ts';
import { Informer } from '../../operator/kube/informer.ts';
import { KubeClient } from '../../operator/kube/kube-client.ts';
import { connectKube } from '../../operator/kube/kube-config.ts';
import type { KubeConnection } from '../../operator/kube/kube-connection.ts';
import { silentLog } from '../../operator/kube/kube-log.ts';
import type { KubeObject, Resource } from '../../operator/kube/resource.ts';
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
  namespaces,
  type StatefulSet,
  statefulSets,
} from '../../operator/kube/resources.ts';
import { kvClusters, type RawCluster } from '../../operator/reconcile/kinds.ts';
import { systemClock } from '../../store/io/system-clock.ts';
import { systemRandom } from '../../store/io/system-random.ts';
import { type AuditedCall, readAuditLog } from './audit-log.ts';
import { ControlPlane, OPERATORS_GROUP } from './control-plane.ts';
import { OperatorProcess } from './operator-process.ts';
import { StandInPods } from './stand-in-pods.ts';
import { StandInStores } from './stand-in-store.ts';

const LOOK_MS = 100;
const ESTABLISH_DEADLINE_MS = 30_000;
const SETTLE_DEADLINE_MS = 180_000;
const CREATES_AT_ONCE = 10;
const LAGGARDS_TOLD = 2;

const clusterRoleBindings: Resource = {
  ...{
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    kind: 'ClusterRoleBinding',
    plural: 'clusterrolebindings',
  },
  isNamespaced: false,
};

/** An API server with the kind KVCluster, and what stands in for pods and stores. Operators are started on it. */
export class OperatorWorld implements AsyncDisposable {
  readonly #directory: string;
  readonly #plane: ControlPlane;
  readonly #client: KubeClient;
  readonly #stores: StandInStores;
  readonly #pods: StandInPods;
  readonly #clusters: Informer<RawCluster>;
  readonly #stack: AsyncDisposableStack;

  private constructor(directory: string, parts: Parts) {
    this.#directory = directory;
    this.#plane = parts.plane;
    this.#client = parts.client;
    this.#stores = parts.stores;
    this.#pods = parts.pods;
    this.#clusters = parts.clusters;
    this.#stack = parts.stack;
  }

  static async start(directory: string, names: readonly string[]): Promise<OperatorWorld> {
    await using stack = new AsyncDisposableStack();
    const plane = stack.use(await ControlPlane.start(`${directory}/kube`));
    const connection: KubeConnection = await connectKube(
      { path: plane.kubeconfigOf('admin') },
      { clock: systemClock },
    );
    stack.defer(() => connection.close());
    const client = new KubeClient({ fieldManager: 'bench' }, { connection, clock: systemClock });
    await prepare(client, names);
    const stores = stack.use(await StandInStores.start((cluster, nodes) => pods.setReady(cluster, nodes)));
    const pods: StandInPods = new StandInPods(client, (cluster, pod) => stores.addNode(cluster, pod));
    const deps = { client, clock: systemClock, random: systemRandom, log: silentLog };
    const sets = new Informer<StatefulSet>(statefulSets, {}, deps);
    const clusters = new Informer<RawCluster>(kvClusters, {}, deps);
    for (const each of [sets, clusters]) {
      each.start();
      stack.defer(() => each.stop());
    }
    await pods.start(sets);
    return new OperatorWorld(directory, { plane, client, stores, pods, clusters, stack: stack.move() });
  }

  async startOperator(watchNamespaces?: readonly string[]): Promise<OperatorProcess> {
    const kubeconfig = this.#plane.kubeconfigOf('operator');
    const log = `${this.#directory}/operator.log`;
    return await OperatorProcess.start({ kubeconfig, log, ...(watchNamespaces && { watchNamespaces }) });
  }

  /** Ten at a time, as quickly as the server takes them. */
  async create(clusters: readonly RawCluster[]): Promise<void> {
    const left = clusters.toReversed();
    const one = async (): Promise<void> => {
      for (let next = left.pop(); next !== undefined; next = left.pop())
        await this.#client.create(kvClusters, next);
    };
    await Promise.all(Array.from({ length: CREATES_AT_ONCE }, one));
  }

  /** Until so many KVClusters are ready, and nothing is on its way. */
  async settled(count: number): Promise<void> {
    const deadlineMs = performance.now() + SETTLE_DEADLINE_MS;
    for (;;) {
      const settled = this.#clusters.list().filter(isSettled).length;
      if (this.#pods.failure !== undefined) throw this.#pods.failure;
      if (settled === count) return;
      if (performance.now() > deadlineMs)
        throw new Error(`${settled} of ${count} KVClusters are ready: ${this.#laggards()}`);
      await sleep(LOOK_MS);
    }
  }

  /** What keeps some of those that are not. */
  #laggards(): string {
    const others = this.#clusters.list().filter((cluster) => !isSettled(cluster));
    return JSON.stringify(
      others.slice(0, LAGGARDS_TOLD).map(({ metadata, status }) => [metadata.name, status]),
    );
  }

  calls(): readonly AuditedCall[] {
    return readAuditLog(this.#plane.auditLog);
  }

  /** Calls of operators to nodes of stores, so far. */
  get storeRequests(): number {
    return this.#stores.requests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pods.idle();
    await this.#stack.disposeAsync();
  }
}

type Parts = {
  readonly plane: ControlPlane;
  readonly client: KubeClient;
  readonly stores: StandInStores;
  readonly pods: StandInPods;
  readonly clusters: Informer<RawCluster>;
  readonly stack: AsyncDisposableStack;
};

function isSettled({ status }: RawCluster): boolean {
  const is = (type: string): string | undefined =>
    (status as KVClusterStatus | undefined)?.conditions?.find((condition) => condition.type === type)?.status;
  return is('Ready') === 'True' && is('Progressing') === 'False';
}

/** The kind, the namespaces, and an operator that may do everything: which rights it needs is not what is measured. */
async function prepare(client: KubeClient, names: readonly string[]): Promise<void> {
  for (const name of [OperatorProcess.namespace, ...names])
    await client.create(namespaces, { metadata: { name } });
  const apiGroup = 'rbac.authorization.k8s.io';
  const binding = {
    metadata: { name: 'bench-operator' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup, kind: 'Group', name: OPERATORS_GROUP }],
  } as KubeObject;
  await client.create(clusterRoleBindings, binding);
  await client.create(
    customResourceDefinitions,
    customResourceDefinition() as unknown as CustomResourceDefinition,
  );
  const deadlineMs = performance.now() + ESTABLISH_DEADLINE_MS;
  while (!(await client.serves(kvClusters))) {
    if (performance.now() > deadlineMs) throw new Error('the API server does not serve KVClusters');
    await sleep(LOOK_MS);
  }
}
