import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, ObjectRef, Resource } from '../kube/resource.ts';
import {
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaims,
  pods,
  type StatefulSet,
  statefulSets,
} from '../kube/resources.ts';
import type { FakeApiServer } from './fake-api-server.ts';

/** What of an API server the others around an operator work with. */
export type Cluster = Pick<FakeApiServer, 'get' | 'list' | 'put' | 'remove' | 'onChange' | 'calls'>;

const PROTECTION = 'kubernetes.io/pvc-protection';
/** Keeps a pod that is told to end until its kubelet says that it has. */
const RUNS = 'test/kubelet';

export type KubeletOptions = {
  /** Wall time; where it is absent pods have been as they are since long ago. */
  readonly nowMs?: () => number;
  /** A pod that is told to end ends as soon as this says so, which is asked at each step; without it at once. */
  readonly mayEnd?: (pod: Pod) => boolean;
  /** Whether the kubelet of the pod's node works; without it there is one for all. */
  readonly hasKubelet?: (pod: Pod) => boolean;
};

/**
 * The controller of StatefulSets, the garbage collector, the protection of claims and the kubelets, for one StatefulSet, as far as an operator
 * can tell. Each step is one change of one of them.
 */
export class FakeKubelets {
  /** Images that cannot be pulled. */
  readonly brokenImages = new Set<string>();
  readonly #server: Cluster;
  readonly #ref: ObjectRef;
  readonly #options: KubeletOptions;
  readonly #names: RegExp;
  /** Ordinals whose pods find no node. */
  readonly unschedulable = new Set<number>();

  constructor(server: Cluster, ref: ObjectRef, options: KubeletOptions = {}) {
    this.#server = server;
    this.#options = options;
    this.#ref = ref;
    this.#names = new RegExp(`^(data-|)${ref.name}-(\\d+)$`);
    server.onChange(({ type, resource, object }) => {
      const { namespace, name } = object.metadata;
      const isOwn = namespace === ref.namespace && name === ref.name;
      if (type === 'DELETED' && resource.kind === 'StatefulSet' && isOwn) this.#collect(object);
    });
  }

  step(): boolean {
    return this.steps.some((each) => each());
  }

  /** Each by itself: who of them comes first is nobody's promise. */
  readonly steps: readonly (() => boolean)[] = [
    () => this.#endClaims(),
    () => this.#endPods(),
    () => this.#letGo(),
    () => this.#observe(),
    () => this.#makePods(),
    () => this.#runPods(),
  ];

  /** The process of this ordinal ends, and its kubelet starts it again. */
  kill(ordinal: number): void {
    const pod = this.pod(ordinal);
    if (pod === undefined || !this.#hasKubelet(pod)) return;
    const status = { ...pod.status, containerStatuses: [], conditions: this.#conditions(pod, false) };
    this.#setStatus(pod, { ...status, phase: 'Running' });
  }

  get ref(): ObjectRef {
    return this.#ref;
  }

  podName(ordinal: number): string {
    return `${this.#ref.name}-${ordinal}`;
  }

  /** Of a pod or a claim; undefined where it bears no name of this StatefulSet. */
  ordinalOf({ kind }: Pick<Resource, 'kind'>, { namespace, name }: ObjectRef): number | undefined {
    if (namespace !== this.#ref.namespace) return undefined;
    const [, prefix, ordinal] = this.#names.exec(name) ?? [];
    const isNamed = (kind === pods.kind ? '' : 'data-') === prefix;
    return isNamed && ordinal !== undefined ? Number(ordinal) : undefined;
  }

  pod(ordinal: number): Pod | undefined {
    return this.#server.get(pods, this.#named(this.podName(ordinal)));
  }

  claim(ordinal: number): PersistentVolumeClaim | undefined {
    return this.#server.get(persistentVolumeClaims, this.#named(`data-${this.#ref.name}-${ordinal}`));
  }

  /** On a node that others reach. */
  isRunning(ordinal: number): boolean {
    const pod = this.pod(ordinal);
    return pod?.status?.containerStatuses?.[0]?.state?.running !== undefined && this.#hasKubelet(pod);
  }

  #hasKubelet(pod: Pod): boolean {
    return this.#options.hasKubelet?.(pod) !== false;
  }

  /** By what the store says of it. */
  setReady(ordinal: number, isReady: boolean): boolean {
    const pod = this.pod(ordinal);
    if (pod === undefined || isReadyNow(pod) === isReady || pod.metadata.deletionTimestamp) return false;
    if (!this.#hasKubelet(pod)) return false;
    this.#setStatus(pod, { ...pod.status, conditions: this.#conditions(pod, isReady) });
    return true;
  }

  #conditions({ status }: Pod, isReady: boolean): readonly object[] {
    const others = (status?.conditions ?? []).filter(({ type }) => type !== 'Ready');
    const ready = { type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: this.#now() };
    return [...others, ready];
  }

  #now(): string {
    const { nowMs } = this.#options;
    return nowMs === undefined ? '2026-01-01T00:00:00Z' : new Date(nowMs()).toISOString();
  }

  /** Those of a StatefulSet that is deleted go with it, unless the call said otherwise. */
  #collect(set: KubeObject): void {
    const options = this.#server.calls
      .filter(({ verb, resource }) => verb === 'delete' && resource?.kind === 'StatefulSet')
      .map(({ body }) => body as DeleteOptions | undefined);
    const policy = options.findLast(
      (each) => each?.preconditions?.uid === set.metadata.uid,
    )?.propagationPolicy;
    for (const pod of this.#owned(set)) {
      if (policy !== 'Orphan') this.#server.remove(pods, pod.metadata);
      else this.#server.put(pods, { ...pod, metadata: { ...pod.metadata, ownerReferences: [] } });
    }
  }

  /** With each pod that is made or ends, gets or stops being ready, the StatefulSet has another version. */
  #observe(): boolean {
    const set = this.#set();
    if (set === undefined) return false;
    const owned = this.#owned(set);
    const readyReplicas = owned.filter(isReadyNow).length;
    const status = {
      observedGeneration: set.metadata.generation ?? 1,
      ...{ replicas: owned.length, readyReplicas },
    };
    if (isDeepStrictEqual(set.status, status)) return false;
    this.#server.put(statefulSets, { ...set, status } as StatefulSet);
    return true;
  }

  #endPods(): boolean {
    const set = this.#set();
    if (set === undefined || set.status?.observedGeneration !== set.metadata.generation) return false;
    const beyond = this.#owned(set).find(
      (pod) => ordinalOf(pod) >= (set.spec?.replicas ?? 0) && !pod.metadata.deletionTimestamp,
    );
    if (beyond === undefined) return false;
    this.#server.remove(pods, beyond.metadata);
    return true;
  }

  /** Pods that were told to end and have nothing to wait for any more. */
  #letGo(): boolean {
    const { mayEnd } = this.#options;
    const ending = this.own(pods).find(
      (pod) => pod.metadata.deletionTimestamp !== undefined && mayEnd?.(pod) !== false,
    );
    if (ending === undefined) return false;
    this.#server.put(pods, { ...ending, metadata: { ...ending.metadata, finalizers: [] } });
    return true;
  }

  #endClaims(): boolean {
    const mounted = new Set(this.own(pods).map((pod) => claimOf(pod)));
    const free = this.own(persistentVolumeClaims).find(
      ({ metadata }) => metadata.deletionTimestamp && !mounted.has(metadata.name),
    );
    if (free === undefined) return false;
    const metadata = { ...free.metadata, finalizers: [] };
    this.#server.put(persistentVolumeClaims, { ...free, metadata });
    return true;
  }

  #makePods(): boolean {
    const set = this.#set();
    if (set === undefined || set.status?.observedGeneration !== set.metadata.generation) return false;
    // Also those beyond its replicas, which it ends then.
    const orphan = this.own(pods).find((pod) => this.#isOrphan(pod));
    if (orphan !== undefined) {
      const metadata = { ...orphan.metadata, ownerReferences: [ownerOf(set)] };
      this.#server.put(pods, { ...orphan, metadata });
      return true;
    }
    for (let ordinal = 0; ordinal < (set.spec?.replicas ?? 0); ordinal++) {
      const claim = this.claim(ordinal);
      if (this.pod(ordinal) !== undefined) continue;
      if (claim?.metadata.deletionTimestamp !== undefined) continue;
      if (claim === undefined) this.#makeClaim(set, ordinal);
      this.#makePod(set, ordinal);
      return true;
    }
    return false;
  }

  #isOrphan({ metadata }: Pod): boolean {
    return !metadata.ownerReferences?.length && metadata.deletionTimestamp === undefined;
  }

  #makeClaim(set: StatefulSet, ordinal: number): void {
    const template = set.spec?.volumeClaimTemplates?.[0];
    const { labels, annotations } = template?.metadata ?? {};
    const name = `data-${this.#ref.name}-${ordinal}`;
    const metadata = { ...this.#named(name), labels, annotations, finalizers: [PROTECTION] };
    const spec = template?.spec;
    this.#server.put(persistentVolumeClaims, { metadata, spec, status: { phase: 'Bound' } } as never);
  }

  #makePod(set: StatefulSet, ordinal: number): void {
    const template = set.spec?.template;
    const name = `${this.#ref.name}-${ordinal}`;
    const { labels, annotations } = template?.metadata ?? {};
    const finalizers = this.#options.mayEnd === undefined ? [] : [RUNS];
    const metadata = {
      ...this.#named(name),
      ...{ labels, annotations, finalizers, ownerReferences: [ownerOf(set)] },
    };
    const claim = { name: 'data', persistentVolumeClaim: { claimName: `data-${name}` } };
    const spec = { ...template?.spec, volumes: [...(template?.spec?.volumes ?? []), claim] };
    this.#server.put(pods, { metadata, spec, status: { phase: 'Pending' } } as never);
  }

  #runPods(): boolean {
    for (const pod of this.own(pods)) {
      const wanted = this.#statusOf(pod);
      if (wanted === undefined) continue;
      this.#setStatus(pod, { ...pod.status, ...wanted });
      return true;
    }
    return false;
  }

  /** Undefined where it is as it has to be. */
  #statusOf(pod: Pod): object | undefined {
    const container = pod.status?.containerStatuses?.[0];
    const image = pod.spec?.containers?.[0]?.image ?? '';
    if (container?.state?.running !== undefined || pod.metadata.deletionTimestamp) return undefined;
    if (this.unschedulable.has(ordinalOf(pod)) || !this.#hasKubelet(pod)) return undefined;
    const common = { name: 'kvorum', image, ready: false, restartCount: 0 };
    if (this.brokenImages.has(image)) {
      if (container?.state?.waiting !== undefined) return undefined;
      const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
      return { phase: 'Pending', containerStatuses: [{ ...common, state: { waiting } }] };
    }
    const running = { startedAt: this.#now() };
    return { phase: 'Running', containerStatuses: [{ ...common, state: { running } }] };
  }

  #setStatus(pod: Pod, status: object): void {
    this.#server.put(pods, { ...pod, status } as Pod);
  }

  #set(): StatefulSet | undefined {
    return this.#server.get(statefulSets, this.#ref);
  }

  /** Those that bear names of this StatefulSet: there may be others. */
  own<T extends KubeObject>(resource: Resource<T>): readonly T[] {
    return this.#server
      .list(resource)
      .filter(({ metadata }) => this.ordinalOf(resource, metadata) !== undefined);
  }

  #owned(set: KubeObject): readonly Pod[] {
    const isOwned = ({ metadata }: Pod) =>
      metadata.ownerReferences?.some(({ uid }) => uid === set.metadata.uid) === true;
    return this.#server.list(pods).filter(isOwned);
  }

  #named(name: string): { readonly namespace: string; readonly name: string } {
    return { namespace: this.#ref.namespace ?? '', name };
  }
}

type DeleteOptions = {
  readonly propagationPolicy?: string;
  readonly preconditions?: { readonly uid?: string };
};

function ownerOf({ metadata }: StatefulSet) {
  const { name, uid = '' } = metadata;
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid, controller: true };
}

function isReadyNow({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
}

function ordinalOf({ metadata }: Pod): number {
  return Number(metadata.name.slice(metadata.name.lastIndexOf('-') + 1));
}

function claimOf({ spec }: Pod): string | undefined {
  return spec?.volumes?.find((volume) => volume.persistentVolumeClaim)?.persistentVolumeClaim?.claimName;
}
