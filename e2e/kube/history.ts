import type { Condition, ConditionType } from '../../operator/api/kvcluster-status.ts';
import { Informer } from '../../operator/kube/informer.ts';
import { silentLog } from '../../operator/kube/kube-log.ts';
import type { CacheEvent } from '../../operator/kube/object-cache.ts';
import { type Pod, pods } from '../../operator/kube/resources.ts';
import { kvClusters, type RawCluster } from '../../operator/reconcile/kinds.ts';
import { systemClock } from '../../store/io/system-clock.ts';
import { systemRandom } from '../../store/io/system-random.ts';
import { isPodReady } from './kubectl.ts';
import { conditionOf, type KvCluster } from './kv-cluster.ts';
import type { Scene } from './scenario.ts';

/** `ready` of a pod that was there; `unready` also of one that is told to end. */
export type PodChange = {
  readonly at: number;
  readonly pod: string;
  readonly uid: string;
  readonly change: 'created' | 'ready' | 'unready' | 'ending' | 'gone';
};

/** What became of the conditions of a KVCluster and of its pods, in order, as the API server told of it. */
export class History implements AsyncDisposable {
  readonly #cluster: string;
  readonly #informers: readonly { stop(): Promise<void> }[];
  readonly #statuses = new Map<ConditionType, Condition['status'][]>();
  readonly #changes: PodChange[] = [];
  readonly #ready = new Set<string>();

  private constructor(cluster: string, onCluster: Informer<RawCluster>, onPods: Informer<Pod>) {
    this.#cluster = cluster;
    this.#informers = [onCluster, onPods];
    onCluster.onEvent(({ object }) => this.#seeCluster(object));
    onPods.onEvent((event) => this.#seePod(event));
  }

  /** From now on; what is there already stands first. */
  static async start({ kube, kubectl }: Scene, { name }: KvCluster): Promise<History> {
    const deps = { client: kube, clock: systemClock, random: systemRandom, log: silentLog };
    const namespaces = [kubectl.namespace];
    const labelSelector = `app.kubernetes.io/instance=${name},app.kubernetes.io/component=store`;
    const onCluster = new Informer(kvClusters, { namespaces }, deps);
    const onPods = new Informer(pods, { namespaces, labelSelector }, deps);
    const history = new History(name, onCluster, onPods);
    for (const informer of [onCluster, onPods]) informer.start();
    await Promise.all([onCluster.synced(), onPods.synced()]);
    return history;
  }

  /** Each different from the one before. */
  statusesOf(type: ConditionType): readonly Condition['status'][] {
    return this.#statuses.get(type) ?? [];
  }

  get podChanges(): readonly PodChange[] {
    return this.#changes;
  }

  /** The names of pods that were told to end, in order. */
  get ended(): readonly string[] {
    return this.#changes.filter(({ change }) => change === 'ending').map(({ pod }) => pod);
  }

  /** The most pods that were away at once after all of `names` had been ready: ending, gone, or not ready. */
  mostAway(names: readonly string[]): number {
    const up = new Set<string>();
    let hasBegun = false;
    let most = 0;
    for (const { pod, change } of this.#changes) {
      if (!names.includes(pod)) continue;
      if (change === 'ready') up.add(pod);
      else up.delete(pod);
      hasBegun ||= up.size === names.length;
      if (hasBegun) most = Math.max(most, names.length - up.size);
    }
    return most;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#informers.map(async (informer) => await informer.stop()));
  }

  #seeCluster({ metadata, status }: RawCluster): void {
    if (metadata.name !== this.#cluster) return;
    for (const { type } of status?.conditions ?? []) {
      const known = this.#statuses.get(type as ConditionType) ?? [];
      const found = conditionOf(status, type as ConditionType)?.status;
      if (found !== undefined && known.at(-1) !== found)
        this.#statuses.set(type as ConditionType, [...known, found]);
    }
  }

  #seePod({ type, object }: CacheEvent<Pod>): void {
    const { name: pod, uid = '', deletionTimestamp } = object.metadata;
    const tell = (change: PodChange['change']): void =>
      void this.#changes.push({ at: Date.now(), pod, uid, change });
    const isEnding = deletionTimestamp !== undefined;
    const isReady = !isEnding && type !== 'deleted' && isPodReady(object);
    if (type === 'added') tell('created');
    if (isEnding && !this.#hasTold(uid, 'ending')) tell('ending');
    if (isReady && !this.#ready.has(uid)) tell('ready');
    if (!isReady && !isEnding && this.#ready.has(uid)) tell('unready');
    if (type === 'deleted') tell('gone');
    if (isReady) this.#ready.add(uid);
    else this.#ready.delete(uid);
  }

  #hasTold(uid: string, change: PodChange['change']): boolean {
    return this.#changes.some((each) => each.uid === uid && each.change === change);
  }
}
