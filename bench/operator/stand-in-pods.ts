import { ZONE_LABEL } from '../../operator/children/names.ts';
import type { Informer } from '../../operator/kube/informer.ts';
import type { KubeClient } from '../../operator/kube/kube-client.ts';
import {
  type Node,
  nodes,
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaims,
  pods,
  type StatefulSet,
  statefulSets,
} from '../../operator/kube/resources.ts';

const NODE = 'bench-node';
const CONTAINER = 'kvorum';

/**
 * What the controller of StatefulSets, the scheduler and a kubelet write into the API server when a cluster comes up: claims, pods, and how they
 * are. No pod runs anywhere.
 */
export class StandInPods {
  readonly #client: KubeClient;
  readonly #onRunning: (cluster: string, pod: string) => void;
  /** The work of each StatefulSet, one thing after the other. */
  readonly #work = new Map<string, Promise<void>>();
  readonly #made = new Set<string>();
  /** Of what went wrong; the benchmark fails by it. */
  failure: Error | undefined;

  constructor(client: KubeClient, onRunning: (cluster: string, pod: string) => void) {
    this.#client = client;
    this.#onRunning = onRunning;
  }

  /** One node, in a zone. */
  async start(sets: Informer<StatefulSet>): Promise<void> {
    const node: Node = { metadata: { name: NODE, labels: { [ZONE_LABEL]: 'a' } } };
    await this.#client.create(nodes, node);
    sets.onEvent(({ type, object }) => {
      if (type !== 'deleted') this.#do(keyOf(object), () => this.#makePods(object));
    });
  }

  /** The store of these pods was made: their probes succeed from now on. */
  setReady(cluster: string, names: readonly string[]): void {
    const [namespace = ''] = cluster.split('/');
    this.#do(cluster, async () => {
      for (const name of names)
        await this.#client.patchStatus<Pod>(pods, { namespace, name }, podStatus({ isReady: true }));
    });
  }

  async idle(): Promise<void> {
    await Promise.all(this.#work.values());
  }

  #do(key: string, work: () => Promise<void>): void {
    const next = (this.#work.get(key) ?? Promise.resolve()).then(work).catch((error: Error) => {
      this.failure ??= error;
    });
    this.#work.set(key, next);
  }

  async #makePods(set: StatefulSet): Promise<void> {
    const { namespace = '', name, generation = 1 } = set.metadata;
    const replicas = set.spec?.replicas ?? 0;
    if (set.status?.observedGeneration !== generation)
      await this.#client.patchStatus<StatefulSet>(
        statefulSets,
        { namespace, name },
        { observedGeneration: generation, replicas },
      );
    for (let ordinal = 0; ordinal < replicas; ordinal++) {
      const pod = `${name}-${ordinal}`;
      if (this.#made.has(`${namespace}/${pod}`)) continue;
      this.#made.add(`${namespace}/${pod}`);
      await this.#client.create(persistentVolumeClaims, claimOf(set, pod));
      await this.#client.create(pods, podOf(set, pod));
      await this.#client.patchStatus<Pod>(pods, { namespace, name: pod }, podStatus({ isReady: false }));
      this.#onRunning(keyOf(set), pod);
    }
  }
}

const keyOf = ({ metadata }: StatefulSet): string => `${metadata.namespace}/${metadata.name}`;

function claimOf({ metadata, spec }: StatefulSet, pod: string): PersistentVolumeClaim {
  const template = spec?.volumeClaimTemplates?.[0];
  const { labels, annotations } = template?.metadata ?? {};
  const own = { name: `data-${pod}`, namespace: metadata.namespace ?? '' };
  return {
    metadata: { ...own, ...(labels && { labels }), ...(annotations && { annotations }) },
    ...(template?.spec && { spec: template.spec }),
  } as PersistentVolumeClaim;
}

function podOf({ metadata, spec }: StatefulSet, name: string): Pod {
  const { apiVersion, kind } = { apiVersion: 'apps/v1', kind: 'StatefulSet' };
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true };
  const claim = { name: 'data', persistentVolumeClaim: { claimName: `data-${name}` } };
  const template = spec?.template;
  return {
    metadata: { ...template?.metadata, name, namespace: metadata.namespace ?? '', ownerReferences: [owner] },
    spec: { ...template?.spec, nodeName: NODE, volumes: [...(template?.spec?.volumes ?? []), claim] },
  } as Pod;
}

function podStatus({ isReady }: { readonly isReady: boolean }): object {
  const lastTransitionTime = new Date().toISOString();
  const status = isReady ? 'True' : 'False';
  const image = { image: 'bench', imageID: 'bench' };
  const running = { startedAt: lastTransitionTime };
  return {
    phase: 'Running',
    conditions: [
      { type: 'PodScheduled', status: 'True', lastTransitionTime },
      { type: 'Ready', status, lastTransitionTime },
    ],
    containerStatuses: [{ name: CONTAINER, ...image, ready: isReady, restartCount: 0, state: { running } }],
  };
}
