import type { Prng } from '../../store/core/prng/prng.ts';
import { fileHash } from '../../store/io/file-hash.ts';
import type { KubeObject, ObjectRef, Resource } from '../kube/resource.ts';
import { configMaps, type Pod, pods, services } from '../kube/resources.ts';
import { TestStoreView } from '../reconcile/test-store-view.ts';
import { FakeKubelets } from '../testing/fake-kubelets.ts';
import type { SimApi } from './api.ts';
import { ClusterChecks } from './cluster-checks.ts';
import type { SimNodes } from './nodes.ts';
import type { ClusterPlan, Hindrance, Volumes } from './plan.ts';
import { SCRIBBLE, User } from './user.ts';

export type ClusterDeps = {
  readonly api: SimApi;
  readonly nodes: SimNodes;
  readonly nowMs: () => number;
  readonly note: (text: string) => void;
  readonly fork: () => Prng;
  /** All that there are, this one too. */
  readonly all: () => readonly SimCluster[];
};

const GRACE_MS = 120_000;
const ORDINALS_MAX = 10;
/** The step of the kubelets in which pods end. */
const LET_GO = 2;

/** One KVCluster and all that is around it: the controller of its StatefulSet, its kubelets, its store, its user, and what must hold of it. */
export class SimCluster {
  readonly ref: Required<Pick<ClusterPlan, 'namespace' | 'name'>>;
  readonly key: string;
  readonly volumes: Volumes;
  readonly kubelets: FakeKubelets;
  readonly view: TestStoreView;
  readonly user: User;
  readonly checks: ClusterChecks;
  /** Of the node that a pod runs on. */
  readonly zoneOf = (pod: string): string | undefined =>
    this.#deps.nodes.zoneOf(this.#deps.api.get(pods, { ...this.ref, name: pod })?.spec?.nodeName);
  /** What keeps it from getting anywhere, for now. */
  hindrance: Hindrance | undefined;
  readonly #deps: ClusterDeps;
  readonly #prng: Prng;
  /** Members that are down, by their numbers, and since when. */
  readonly #downMs = new Map<number, number>();
  /** By which settings file each pod goes: its hash, by the UID of the pod. */
  readonly #files = new Map<string, string>();
  /** What there was when this one had nothing to do: a step of the kubelets, by its index, or another one. */
  readonly #still = new Map<number | 'look' | 'store', string>();

  constructor({ namespace, name, volumes }: ClusterPlan, deps: ClusterDeps) {
    const { api, nodes, nowMs, note } = deps;
    this.ref = { namespace, name };
    this.key = `${namespace}/${name}`;
    this.volumes = volumes;
    this.#deps = deps;
    this.#prng = deps.fork();
    const mayEnd = (pod: Pod) => this.#mayEnd(pod);
    const hasKubelet = (pod: Pod) => nodes.hasKubelet(pod);
    this.kubelets = new FakeKubelets(api, this.ref, { nowMs, mayEnd, hasKubelet });
    this.view = new TestStoreView(this.kubelets, nowMs);
    const around = { api, nodes, nowMs, kubelets: this.kubelets, view: this.view, ref: this.ref };
    this.checks = new ClusterChecks(around);
    this.view.settingsOf = (ordinal) => {
      const hash = this.#files.get(this.kubelets.pod(ordinal)?.metadata.uid ?? '');
      return hash === undefined ? undefined : { type: 'live', fileHash: hash };
    };
    const otherNames = () =>
      deps.all().flatMap(({ ref }) => (ref.namespace === namespace && ref.name !== name ? [ref.name] : []));
    this.user = new User({
      ...around,
      prng: deps.fork(),
      note: (text) => note(`${this.key} ${text}`),
      otherNames,
    });
  }

  /** Of this KVCluster, whatever its labels say. */
  owns(resource: Resource, { namespace, name }: ObjectRef, object: Partial<KubeObject> | undefined): boolean {
    if (namespace !== this.ref.namespace) return false;
    if (resource.kind === 'KVCluster' || resource.kind === 'StatefulSet') return name === this.ref.name;
    if (resource.kind === 'Pod' || resource.kind === 'PersistentVolumeClaim')
      return this.kubelets.ordinalOf(resource, { namespace, name }) !== undefined;
    const owners = object?.metadata?.ownerReferences ?? [];
    return owners.some((owner) => owner.kind === 'KVCluster' && owner.name === this.ref.name);
  }

  /** One step of those around it, and a look at what holds. */
  step(): void {
    const { kubelets } = this;
    const index = this.#prng.below(kubelets.steps.length);
    this.#look();
    // Whether a pod may end depends on the time as well.
    if (index !== LET_GO && this.#still.get(index) === this.#stamp()) return;
    if (kubelets.steps[index]?.()) this.#look();
    else this.#still.set(index, this.#stamp());
  }

  /** One step of the store by itself. */
  stepStore(): void {
    if (this.#still.get('store') === this.#stamp()) return;
    if (this.view.step()) return;
    this.#still.set('store', this.#stamp());
  }

  /** Another one when anything is different that the controllers, the kubelets or the store act on by themselves. */
  #stamp(): string {
    const { api, nodes } = this.#deps;
    const { inner, isBlocked, made } = this.view;
    return `${api.changes} ${nodes.turns} ${made} ${inner?.epoch} ${isBlocked}`;
  }

  #look(): void {
    const { kubelets, checks } = this;
    if (this.#still.get('look') === this.#stamp()) return;
    for (let ordinal = 0; ordinal < ORDINALS_MAX; ordinal++)
      if (kubelets.claim(ordinal)?.status?.phase !== 'Lost') kubelets.unschedulable.delete(ordinal);
      else kubelets.unschedulable.add(ordinal);
    this.bringSettings(false);
    checks.look();
    this.#still.set('look', this.#stamp());
  }

  /** Pods read the file as they start; the kubelet brings a changed one to some of those that run. */
  bringSettings(isChanged = true): void {
    const { data = {} } =
      this.#deps.api.get(configMaps, { ...this.ref, name: `${this.ref.name}-config` }) ?? {};
    const [file] = Object.values(data);
    if (file === undefined || file === SCRIBBLE) return;
    for (let ordinal = 0; ordinal < ORDINALS_MAX; ordinal++) {
      const uid = this.kubelets.pod(ordinal)?.metadata.uid ?? '';
      if (!this.kubelets.isRunning(ordinal)) continue;
      const isRead = isChanged ? this.#prng.below(2) === 0 : !this.#files.has(uid);
      if (isRead) this.#files.set(uid, fileHash(file));
    }
  }

  /** As the store does by itself: one that has been down for as long as the policy says is replaced, where there are others. */
  replaceLost(): void {
    const { inner } = this.view;
    const { mode, afterMs } = this.checks.policy();
    if (inner === undefined) return;
    const nowMs = this.#deps.nowMs();
    for (const { number, name, going } of [...inner.members.values()]) {
      if (this.view.isUp(number)) this.#downMs.delete(number);
      else if (!this.#downMs.has(number)) this.#downMs.set(number, nowMs);
      else if (mode === 'Automatic' && going === undefined && inner.hasLeader)
        if (nowMs - (this.#downMs.get(number) ?? nowMs) >= afterMs) inner.replace(name);
    }
  }

  /** The hook before the end of a pod: it waits for the store's word, unless the cluster goes as a whole, and no longer than it may. */
  #mayEnd({ metadata, spec, ...pod }: Pod): boolean {
    const { api, nodes, nowMs } = this.#deps;
    if (spec?.nodeName === undefined) return true;
    if (!nodes.hasKubelet({ metadata, spec, ...pod })) return false;
    const sinceMs = Date.parse(metadata.deletionTimestamp ?? '');
    const isAlone = api.get(services, { ...this.ref, name: `${this.ref.name}-peers` }) === undefined;
    const ordinal = this.kubelets.ordinalOf(pods, metadata) ?? 0;
    return isAlone || nowMs() - sinceMs > GRACE_MS || this.view.mayStop(ordinal);
  }
}
