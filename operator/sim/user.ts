import type { Prng } from '../../store/core/prng/prng.ts';
import type { KVClusterSpecInput } from '../api/kvcluster.ts';
import type { KubeObject, ObjectRef, Resource } from '../kube/resource.ts';
import {
  type ConfigMap,
  configMaps,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  pods,
  type StatefulSet,
  services,
  statefulSets,
} from '../kube/resources.ts';
import { kvClusters, type RawCluster } from '../reconcile/kinds.ts';
import { FINALIZER } from '../reconcile/observe.ts';
import type { TestStoreView } from '../reconcile/test-store-view.ts';
import type { FakeKubelets } from '../testing/fake-kubelets.ts';
import type { SimApi } from './api.ts';
import { nodeOf, type SimNodes } from './nodes.ts';

export const IMAGE = 'ghcr.io/kvorum/kvorum';
const BROKEN = 'broken';
const SELECTOR = /^app\.kubernetes\.io\/(name|instance|component)$/;
const REPLICAS_MAX = 6;
const REPLACE_AFTER_SECONDS = 60;
export const INSTANCE_LABEL = 'app.kubernetes.io/instance';
/** What somebody writes into a ConfigMap. */
export const SCRIBBLE = 'edited: by hand';

type Wished = Omit<KVClusterSpecInput, 'replicas' | 'replicationFactor'> & {
  readonly replicas: number;
  readonly replicationFactor: number;
};

export type UserDeps = {
  readonly api: SimApi;
  readonly kubelets: FakeKubelets;
  readonly view: TestStoreView;
  readonly nodes: SimNodes;
  readonly ref: { readonly namespace: string; readonly name: string };
  /** Of other KVClusters of the namespace. */
  readonly otherNames: () => readonly string[];
  readonly prng: Prng;
  readonly nowMs: () => number;
  readonly note: (text: string) => void;
};

/** Somebody who changes his mind, and hardware that fails, as far as three replicas survive it. */
export class User {
  spec: Wished;
  /** There is to be a KVCluster. */
  isWanted = true;
  /** Of the last deletion: the volumes were to go as well, and an operator had seen that. */
  doVolumesGo = false;
  /** What somebody else owns, under a name that the KVCluster needs. */
  stranger: ObjectRef | undefined;
  readonly #deps: UserDeps;
  #tags = 1;
  #gibibytes = 1;

  constructor(deps: UserDeps) {
    this.#deps = deps;
    deps.kubelets.brokenImages.add(`${IMAGE}:${BROKEN}`);
    this.spec = {
      ...{ replicas: 3, replicationFactor: 3, partitions: 8 },
      image: { tag: 'v1' },
      storage: { size: '1Gi', retention: { whenDeleted: 'Retain', whenScaled: 'Retain' } },
      replacePolicy: { mode: 'Automatic', afterSeconds: REPLACE_AFTER_SECONDS },
    };
  }

  /** The KVCluster as it is wished, where it can be written. */
  write(): void {
    const { api, ref } = this.#deps;
    const live = api.get(kvClusters, ref);
    if (live?.metadata.deletionTimestamp !== undefined) return;
    if (!this.isWanted) {
      if (live !== undefined) this.#remove(live);
      return;
    }
    const spec = structuredClone(this.spec);
    if (live === undefined) api.put(kvClusters, { metadata: { ...ref }, spec } as RawCluster);
    else if (JSON.stringify(live.spec) !== JSON.stringify(spec)) api.put(kvClusters, { ...live, spec });
  }

  #remove(live: RawCluster): void {
    const { retention } = (live.spec as KVClusterSpecInput).storage ?? {};
    this.doVolumesGo =
      retention?.whenDeleted === 'Delete' && live.metadata.finalizers?.includes(FINALIZER) === true;
    this.#deps.api.remove(kvClusters, this.#deps.ref);
  }

  /** What is to be in the end has to be possible. */
  comeToRest(): void {
    this.isWanted = this.isWanted || this.#below(4) > 0;
    const isBroken = this.spec.image?.tag === BROKEN;
    const { replicas, replicationFactor } = this.spec;
    this.spec = { ...this.spec, paused: false, ...(isBroken && { image: { tag: 'mended' } }) };
    // One more than has to be may leave, and be called back.
    if (replicas === replicationFactor && this.#below(2) === 0) this.#change({ replicas: replicas + 1 });
    this.#deps.note(`in the end: ${this.isWanted ? JSON.stringify(this.spec) : 'no cluster'}`);
    this.write();
  }

  act(): void {
    const [name, action] = this.#drawn();
    const said = action();
    if (said !== undefined) this.#deps.note(`user: ${name}: ${said}`);
    this.write();
  }

  #drawn(): readonly [string, () => string | undefined] {
    const all: readonly (readonly [number, string, () => string | undefined])[] = [
      [30, 'scale', () => this.#scale()],
      [12, 'image', () => this.#image()],
      [6, 'restart', () => this.#change({ restartedAt: this.#time() })],
      [6, 'config', () => this.#change({ config: { 'moves.partitionsMax': 1 + this.#below(9) } })],
      [10, 'pause', () => this.#change({ paused: this.#below(2) === 0 })],
      [6, 'policy', () => this.#policy()],
      [6, 'factor', () => this.#factor()],
      [6, 'retention', () => this.#retention()],
      [6, 'storage', () => this.#grow()],
      [4, 'service', () => this.#change({ podDisruptionBudget: { enabled: this.#below(2) === 0 } })],
      [3, 'auth', () => this.#change({ auth: { enabled: this.#below(2) === 0 } })],
      [
        3,
        'monitoring',
        () => this.#change({ monitoring: { podMonitor: { enabled: this.#below(2) === 0 } } }),
      ],
      [8, 'exists', () => this.#exists()],
      [10, 'delete pod', () => this.#deletePod()],
      [8, 'kill', () => this.#kill()],
      [8, 'lose volume', () => this.#loseVolume()],
      [4, 'relabel', () => this.#relabel()],
      [6, 'mislabel', () => this.#mislabel()],
      [6, 'edit', () => this.edit()],
      [6, 'by hand', () => this.replaceByHand()],
    ];
    // Each as often as its weight says.
    const tickets = all.flatMap(([weight, name, action]) =>
      Array.from({ length: weight }, () => [name, action] as const),
    );
    return tickets[this.#below(tickets.length)]!;
  }

  #change(change: Partial<Wished>): string {
    this.spec = { ...this.spec, ...change };
    return JSON.stringify(change);
  }

  /** Said and written. */
  wish(change: Partial<Wished>): void {
    this.#deps.note(`user: ${this.#change(change)}`);
    this.write();
  }

  /** Larger volumes: the StatefulSet has to be made anew. They stay when the KVCluster goes. */
  outgrow(): void {
    const size = `${++this.#gibibytes}Gi`;
    const retention = { whenScaled: 'Retain', whenDeleted: 'Retain' } as const;
    this.wish({ storage: { ...this.spec.storage, size, retention } });
  }

  /** There is to be no KVCluster any more. */
  leave(): void {
    this.isWanted = false;
    this.#deps.note('user: deletes the KVCluster');
    this.write();
  }

  #policy(): string {
    const mode = this.#below(2) === 0 ? 'Automatic' : 'Manual';
    return this.#change({ replacePolicy: { mode, afterSeconds: [30, 60, 240][this.#below(3)] ?? 60 } });
  }

  #scale(): string {
    const { replicationFactor } = this.spec;
    return this.#change({ replicas: replicationFactor + this.#below(REPLICAS_MAX - replicationFactor + 1) });
  }

  #image(): string {
    const tag = this.#below(5) === 0 ? BROKEN : `v${++this.#tags}`;
    return this.#change({ image: { tag } });
  }

  #factor(): string | undefined {
    const replicationFactor = [3, 3, 5, 1][this.#below(4)] ?? 3;
    if (replicationFactor > this.spec.replicas) return undefined;
    return this.#change({ replicationFactor });
  }

  #retention(): string {
    const one = () => (this.#below(2) === 0 ? 'Delete' : 'Retain');
    const retention = { whenDeleted: one(), whenScaled: one() } as const;
    return this.#change({ storage: { ...this.spec.storage, retention } });
  }

  #grow(): string {
    return this.#change({ storage: { ...this.spec.storage, size: `${++this.#gibibytes}Gi` } });
  }

  #exists(): string | undefined {
    this.isWanted = !this.isWanted || this.#below(2) > 0;
    return this.isWanted ? undefined : 'deletes the KVCluster';
  }

  #time(): string {
    return new Date(this.#deps.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  #deletePod(): string | undefined {
    const { api } = this.#deps;
    const all = this.#deps.kubelets.own(pods);
    if (all.length === 0 || all.some(({ metadata }) => metadata.deletionTimestamp !== undefined))
      return undefined;
    const { metadata } = all[this.#below(all.length)]!;
    api.remove(pods, metadata);
    return metadata.name;
  }

  #kill(): string | undefined {
    const ordinal = this.#victim();
    if (ordinal === undefined) return undefined;
    this.#deps.kubelets.kill(ordinal);
    return this.#deps.kubelets.podName(ordinal);
  }

  #loseVolume(): string | undefined {
    const { api, kubelets, ref } = this.#deps;
    const ordinal = this.#victim();
    const claim = ordinal === undefined ? undefined : kubelets.claim(ordinal);
    if (ordinal === undefined || claim === undefined) return undefined;
    if (this.#below(2) === 0) {
      api.remove(persistentVolumeClaims, claim.metadata);
      api.remove(pods, { namespace: ref.namespace, name: kubelets.podName(ordinal) });
      return `${claim.metadata.name} is deleted with its pod`;
    }
    api.put(persistentVolumeClaims, { ...claim, status: { phase: 'Lost' } } as PersistentVolumeClaim);
    kubelets.unschedulable.add(ordinal);
    kubelets.kill(ordinal);
    return `${claim.metadata.name} is gone with its disk`;
  }

  #relabel(): string | undefined {
    const { api } = this.#deps;
    const all = this.#deps.kubelets.own(pods);
    const pod = all[this.#below(Math.max(1, all.length))];
    if (pod === undefined) return undefined;
    // Not those that the StatefulSet knows its pods by.
    const kept = Object.entries(pod.metadata.labels ?? {}).filter(([name]) => SELECTOR.test(name));
    api.put(pods, { ...pod, metadata: { ...pod.metadata, labels: Object.fromEntries(kept) } });
    return pod.metadata.name;
  }

  /** Somebody takes a volume, or a child, for one of another KVCluster, or of none. */
  #mislabel(): string | undefined {
    const { api, ref, otherNames } = this.#deps;
    const kinds: readonly Resource[] = [persistentVolumeClaims, persistentVolumeClaims, configMaps, services];
    const resource = kinds[this.#below(kinds.length)] ?? services;
    const all = api
      .list<KubeObject>(resource)
      .filter(({ metadata }) => metadata.labels?.[INSTANCE_LABEL] === ref.name)
      .filter(({ metadata }) => metadata.namespace === ref.namespace);
    const object = all[this.#below(Math.max(1, all.length))];
    if (object === undefined) return undefined;
    const names = [...otherNames(), 'nobody'];
    const labels = { ...object.metadata.labels, [INSTANCE_LABEL]: names[this.#below(names.length)] ?? '' };
    api.put(resource, { ...object, metadata: { ...object.metadata, labels } });
    return `${resource.kind} ${object.metadata.name} is said to be of ${labels[INSTANCE_LABEL]}`;
  }

  /** As the operator asks for where the policy is Manual, or where a volume that another KVCluster left is lost before there is a store. */
  replaceByHand(): string | undefined {
    const { api, nodes, view } = this.#deps;
    if (this.spec.replacePolicy?.mode !== 'Manual' && view.inner !== undefined) return undefined;
    const lost = this.#deps.kubelets
      .own(persistentVolumeClaims)
      .find((claim) => claim.status?.phase === 'Lost' || nodes.isGone(claim));
    const pod =
      lost &&
      this.#deps.kubelets.own(pods).find(({ metadata }) => lost.metadata.name === `data-${metadata.name}`);
    if (lost === undefined || pod === undefined) return undefined;
    api.remove(persistentVolumeClaims, lost.metadata);
    api.remove(pods, pod.metadata);
    return `${lost.metadata.name} is replaced`;
  }

  /** Before there is a KVCluster: a controller has an object under a name that it will need. */
  meetStranger(): void {
    const { api, ref, note } = this.#deps;
    const owner = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'shop',
      uid: 'stranger',
      controller: true,
    };
    this.stranger = { ...ref, name: `${ref.name}-config` };
    api.put(configMaps, { metadata: { ...this.stranger, ownerReferences: [owner] } } as ConfigMap);
    note(`user: ConfigMap ${this.stranger.name} is there, of somebody else`);
  }

  /** It goes. */
  sendStrangerAway(): void {
    const { stranger } = this;
    this.stranger = undefined;
    if (stranger !== undefined) this.#deps.api.remove(configMaps, stranger);
  }

  /** What the StatefulSet made while it was as somebody had edited it, such as in a pause, bears the hash of what is wished. */
  removeStrangePod(): void {
    const { api, kubelets } = this.#deps;
    const strange = kubelets.own(pods).find(({ spec }) => spec?.containers?.[0]?.image === undefined);
    if (strange !== undefined && this.#isCalm()) api.remove(pods, strange.metadata);
  }

  /** Where it is refused to let members go, since replicas of a key would share zones, they stay. */
  keepZones(): void {
    const { api, ref, view } = this.#deps;
    const isTold = ({ reason }: { readonly reason?: string }) => reason === 'TooFewZones';
    const { status } = api.get(kvClusters, ref) ?? {};
    if (status?.conditions?.some(isTold) !== true || !this.isWanted) return;
    const ordinals = [...(view.inner?.members.values() ?? [])].map(({ name }) => ordinalOf(name));
    if (this.spec.replicas <= Math.max(...ordinals)) this.wish({ replicas: Math.max(...ordinals) + 1 });
  }

  /** Somebody writes into a file of settings. */
  scribble(): void {
    const { api, ref } = this.#deps;
    const found = api.get(configMaps, { ...ref, name: `${ref.name}-config` });
    if (found?.data === undefined) return;
    const data = Object.fromEntries(Object.keys(found.data).map((name) => [name, SCRIBBLE]));
    api.put(configMaps, { ...found, data } as ConfigMap);
  }

  /** Whether the store lives on without this machine: it has no member there, or can miss one. */
  survives(node: string): boolean {
    const { kubelets, view, api } = this.#deps;
    const ordinals = new Set([
      ...kubelets.own(pods).map(({ metadata }) => kubelets.ordinalOf(pods, metadata)),
      ...kubelets
        .own(persistentVolumeClaims)
        .map(({ metadata }) => kubelets.ordinalOf(persistentVolumeClaims, metadata)),
    ]);
    for (const ordinal of ordinals) {
      const isThere =
        kubelets.pod(ordinal ?? 0)?.spec?.nodeName === node || nodeOf(kubelets.claim(ordinal ?? 0)) === node;
      if (!isThere) ordinals.delete(ordinal);
    }
    if (ordinals.size === 0) return true;
    const isMade = api.get(statefulSets, this.#deps.ref) !== undefined;
    return ordinals.size === 1 && isMade && this.#isCalm() && (view.inner?.factor ?? 0) >= 3;
  }

  /** Whoever does not know the operator works on its StatefulSet. */
  edit(): string | undefined {
    const { api, ref } = this.#deps;
    const set = api.get(statefulSets, ref);
    if (set?.spec === undefined || this.#victim() === undefined) return undefined;
    const { replicas = 0, template } = set.spec;
    const spec = [
      { updateStrategy: { type: 'RollingUpdate' } },
      { replicas: replicas + (this.#below(2) === 0 ? 1 : -1) },
      { template: { ...template, spec: { ...template.spec, containers: [{ name: 'kvorum', args: [] }] } } },
    ][this.#below(3)];
    api.put(statefulSets, { ...set, spec: { ...set.spec, ...spec } } as StatefulSet);
    return JSON.stringify(spec);
  }

  /** One of a store that survives it. */
  #victim(): number | undefined {
    const { view, kubelets } = this.#deps;
    const { inner } = view;
    if (inner === undefined || inner.factor < 3 || !this.#isCalm()) return undefined;
    const ordinal = this.#below(inner.members.size);
    return kubelets.isRunning(ordinal) ? ordinal : undefined;
  }

  #isCalm(): boolean {
    const isEach = this.#deps.kubelets
      .own(pods)
      .every(({ metadata }) => metadata.deletionTimestamp === undefined);
    return isEach && this.#deps.view.inner?.isWhole === true;
  }

  #below(bound: number): number {
    return this.#deps.prng.below(bound);
  }
}

function ordinalOf(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1));
}
