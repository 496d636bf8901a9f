import { ANNOTATIONS } from '../children/names.ts';
import type { KubeObject, ObjectRef } from '../kube/resource.ts';
import {
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaims,
  pods,
  type StatefulSet,
  statefulSets,
} from '../kube/resources.ts';
import { kvClusters, type RawCluster } from '../reconcile/kinds.ts';
import type { TestStoreView } from '../reconcile/test-store-view.ts';
import type { FakeCall } from '../testing/fake-api-server-call.ts';
import type { FakeKubelets } from '../testing/fake-kubelets.ts';
import type { SimApi } from './api.ts';
import { isAct, require, textOf } from './checks.ts';
import type { SimNodes } from './nodes.ts';
import { INSTANCE_LABEL } from './user.ts';

export type ClusterChecksDeps = {
  readonly api: SimApi;
  readonly nodes: SimNodes;
  readonly kubelets: FakeKubelets;
  readonly view: TestStoreView;
  readonly ref: ObjectRef;
  readonly nowMs: () => number;
};

/** A call may be on its way for so long (faults.ts), and follows from a look before it. */
const IN_FLIGHT_MS = 65_000;
/** So long a pod must have been of no use before it may be stopped while nobody can be asked (stuck-pods.ts). */
const STUCK_MS = 300_000;

type PodState = {
  readonly ordinal: number;
  readonly number: number | undefined;
  readonly isServing: boolean;
  readonly isAsked: boolean;
};

/** When a member went away is seen so much later, at most, and times of objects are in whole seconds. */
const SLACK_MS = 4000;

type Policy = { readonly mode: string; readonly afterMs: number; untilMs: number };

type Spec = {
  readonly paused?: boolean;
  readonly replacePolicy?: { readonly mode?: string; readonly afterSeconds?: number };
  readonly storage?: { readonly retention?: { readonly whenDeleted?: string } };
};

/** What must hold of one KVCluster whenever an act of an operator has its effect. */
export class ClusterChecks {
  readonly #deps: ClusterChecksDeps;
  /** Ordinals whose pods an operator told to end, and that are not back yet. */
  readonly #stopped = new Set<number>();
  #pausedSinceMs: number | undefined;
  /** The KVCluster as it was when it last changed, which may be as it went, and when that was. */
  #noted: { readonly cluster: RawCluster; readonly atMs: number } | undefined;
  /** Factor and number of members, and since when. */
  #size = { text: '', sinceMs: 0 };
  /** Of replacement: the present one last, and those before it that an act under way may still follow. */
  #policies: Policy[] = [];
  /** Members that do not serve, by their numbers, and since when. */
  readonly #awayMs = new Map<number, number>();
  /** Volumes that are lost or were, by their UIDs, and when that was last so: a node comes back with them. */
  readonly #lostMs = new Map<string, number>();

  constructor(deps: ClusterChecksDeps) {
    this.#deps = deps;
    const { namespace, name } = deps.ref;
    deps.api.onChange(({ resource, object }) => {
      const { metadata } = object;
      if (resource.kind === kvClusters.kind && metadata.namespace === namespace && metadata.name === name)
        this.#noteCluster(object as RawCluster);
    });
  }

  policy(): Pick<Policy, 'mode' | 'afterMs'> {
    return this.#policies.at(-1) ?? { mode: 'Manual', afterMs: 0 };
  }

  /** At each step of the world. */
  look(): void {
    const { kubelets, nodes, view, nowMs } = this.#deps;
    for (const ordinal of this.#stopped) {
      const isTold = kubelets.pod(ordinal)?.metadata.deletionTimestamp !== undefined;
      // Its process answers the store before anybody calls the pod ready.
      if (kubelets.isRunning(ordinal) && !isTold) this.#stopped.delete(ordinal);
    }
    const text = `${view.inner?.factor} ${view.inner?.members.size}`;
    if (text !== this.#size.text) this.#size = { text, sinceMs: nowMs() };
    for (const { number, name } of view.inner?.members.values() ?? []) {
      const pod = kubelets.pod(Number(name.slice(name.lastIndexOf('-') + 1)));
      if (view.isUp(number) && pod !== undefined && isReady(pod)) this.#awayMs.delete(number);
      else if (!this.#awayMs.has(number)) this.#awayMs.set(number, nowMs());
    }
    for (const claim of kubelets.own(persistentVolumeClaims))
      if (claim.status?.phase === 'Lost' || nodes.isGone(claim))
        this.#lostMs.set(claim.metadata.uid ?? '', nowMs());
  }

  /** Before the effect; what is returned is to be called after it, if it had one. */
  judge(call: FakeCall): () => void {
    if (!isAct(call)) return () => undefined;
    this.look();
    const before = this.#target(call);
    const stopped =
      call.verb === 'delete' && before !== undefined ? this.#stateOf(before.metadata.name) : undefined;
    return () => {
      this.#judgePause(call);
      if (before === undefined) return;
      if (call.resource?.kind === pods.kind && call.verb === 'delete')
        this.#judgeStop(before as Pod, stopped);
      if (call.resource?.kind === persistentVolumeClaims.kind && call.verb === 'delete')
        this.#judgeClaim(before as PersistentVolumeClaim);
      if (call.resource?.kind === statefulSets.kind) this.#judgeSet(call, before as StatefulSet);
    };
  }

  #target({ resource, namespace, name }: FakeCall): KubeObject | undefined {
    return resource === undefined || name === undefined
      ? undefined
      : this.#deps.api.get(resource, { namespace, name });
  }

  bootstraps(clusterId: string): void {
    const { view, kubelets } = this.#deps;
    const written = this.#latest()?.status?.clusterId;
    require('the id is written down before the cluster is made', written === clusterId, () =>
      `${clusterId} is made, and the status has ${written}`);
    const holding = kubelets
      .own(persistentVolumeClaims)
      .filter((claim) => view.memberOn(claim.metadata.uid ?? '') !== undefined && this.#isLookedFor(claim));
    const isAgain = view.inner?.clusterId === clusterId;
    require('a cluster is made once', isAgain || holding.length === 0, () =>
      `${clusterId} is made, and ${holding.map(({ metadata }) => metadata.name)} hold data`);
  }

  /** One that somebody labelled otherwise is found by its name, as long as that is one of those that are looked for. */
  #isLookedFor({ metadata }: KubeObject): boolean {
    const { kubelets, ref } = this.#deps;
    const { replicas = 3 } = (this.#cluster()?.spec ?? {}) as { readonly replicas?: number };
    const ordinal = kubelets.ordinalOf(persistentVolumeClaims, metadata) ?? 0;
    return ordinal < replicas || metadata.labels?.[INSTANCE_LABEL] === ref.name;
  }

  /** How a pod stands just before it is told to end. */
  #stateOf(name: string): PodState {
    const { kubelets, view, nowMs } = this.#deps;
    const ordinal = kubelets.ordinalOf(pods, { namespace: this.#deps.ref.namespace, name }) ?? -1;
    const number = view.memberOn(kubelets.claim(ordinal)?.metadata.uid ?? '');
    const { inner } = view;
    const isMember = number !== undefined && inner?.members.has(number) === true;
    const isServing = isMember && kubelets.isRunning(ordinal) && (inner?.loadOf(number) ?? 0) > 0;
    const isAsked = number !== undefined && inner?.hasLease(number, nowMs()) === true;
    return { ordinal, number, isServing, isAsked };
  }

  #judgeStop(pod: Pod, state: PodState | undefined): void {
    const { view, nowMs } = this.#deps;
    const { inner } = view;
    if (
      state === undefined ||
      inner === undefined ||
      !state.isServing ||
      pod.metadata.deletionTimestamp !== undefined
    )
      return;
    if (this.#isDeleting()) return;
    const { ordinal, number = 0, isAsked } = state;
    const isSmall =
      Math.min(inner.factor, inner.members.size) < 3 || nowMs() - this.#size.sinceMs < IN_FLIGHT_MS;
    const isStuck = !isReady(pod) && nowMs() - readySinceMs(pod) >= STUCK_MS;
    require('a pod that serves is stopped with the word of the store', isAsked || isSmall || isStuck, () =>
      `${pod.metadata.name} is stopped, and nobody was asked`);
    this.#stopped.add(ordinal);
    if (isSmall) return;
    const away = new Set([...this.#stopped].map((each) => this.#numberOf(each)));
    const lost = inner.sets.filter(
      (set) => set.includes(number) && set.filter((each) => !away.has(each)).length * 2 <= set.length,
    );
    require('no quorum is stopped by own acts', lost.length === 0, () =>
      `${[...this.#stopped].map((i) => this.#deps.kubelets.podName(i))} are stopped, and ${lost.length} partitions lack a majority`);
  }

  #numberOf(ordinal: number): number {
    const { kubelets, view } = this.#deps;
    return view.memberOn(kubelets.claim(ordinal)?.metadata.uid ?? '') ?? 0;
  }

  #judgeClaim(claim: PersistentVolumeClaim): void {
    const { view, nowMs } = this.#deps;
    const { metadata } = claim;
    const cluster = this.#latest();
    const isOurs = metadata.annotations?.[ANNOTATIONS.clusterUid] === cluster?.metadata.uid;
    require('only own volumes are deleted', isOurs, () => `${metadata.name} is not of this KVCluster`);
    const { inner } = view;
    const number = view.memberOn(metadata.uid ?? '');
    if (number === undefined || inner === undefined) return;
    if (this.#isDeleting()) {
      const policy = (cluster?.spec as Spec | undefined)?.storage?.retention?.whenDeleted;
      if (policy === 'Delete') return;
      // What was decided before may be under way still, and is judged as if it had come in time.
      const told = cluster?.metadata.deletionTimestamp;
      const deletedMs = told === undefined ? (this.#noted?.atMs ?? 0) : Date.parse(told);
      require('kept volumes are kept', nowMs() - deletedMs <= IN_FLIGHT_MS, () =>
        `${metadata.name} goes with its cluster, and was to be kept`);
    }
    const own = inner.sets.filter((set) => set.includes(number));
    const isSpare = own.every(
      (set) => set.filter((each) => each !== number && view.isUp(each)).length * 2 > set.length,
    );
    // Its node may have come back while the call was under way.
    const lostMs = this.#lostMs.get(metadata.uid ?? '') ?? Number.NEGATIVE_INFINITY;
    const isLost = nowMs() - lostMs <= IN_FLIGHT_MS;
    if (isLost && isSpare) {
      if (inner.members.has(number)) this.#judgeReplacement(metadata.name, number);
      return;
    }
    require('volumes of members are kept', !inner.members.has(number), () =>
      `${metadata.name} is deleted, and member ${number} has not left`);
    require('volumes of members are kept', own.length === 0, () =>
      `${metadata.name} is deleted, and member ${number} is counted on`);
  }

  #judgeReplacement(claim: string, number: number): void {
    const nowMs = this.#deps.nowMs();
    const valid = this.#policies.filter(({ untilMs }) => untilMs >= nowMs - IN_FLIGHT_MS);
    const automatic = valid.filter(({ mode }) => mode === 'Automatic');
    require('what is lost is replaced by hand where the policy says so', automatic.length > 0, () =>
      `${claim} is replaced, and spec.replacePolicy.mode is Manual`);
    const afterMs = Math.min(...automatic.map((policy) => policy.afterMs));
    const awayMs = nowMs - (this.#awayMs.get(number) ?? nowMs);
    require('what is lost is replaced after the time of the policy', awayMs + SLACK_MS >= afterMs, () =>
      `${claim} is replaced, and member ${number} has been away for ${awayMs} of ${afterMs} ms`);
  }

  #judgeSet(call: FakeCall, { metadata, spec }: StatefulSet): void {
    const { api, kubelets, view } = this.#deps;
    if (call.verb === 'delete') {
      const { propagationPolicy } = (call.body ?? {}) as { readonly propagationPolicy?: string };
      const isAllowed = this.#isDeleting() || propagationPolicy === 'Orphan';
      require('pods outlive their StatefulSet', isAllowed, () => 'the StatefulSet is deleted with its pods');
      return;
    }
    const after = api.get(statefulSets, metadata)?.spec?.replicas ?? 0;
    for (let ordinal = after; ordinal < (spec?.replicas ?? 0); ordinal++) {
      const number = view.memberOn(kubelets.claim(ordinal)?.metadata.uid ?? '');
      const load = number === undefined ? 0 : (view.inner?.loadOf(number) ?? 0);
      require('pods are let go once their members hold nothing', load === 0, () =>
        `${kubelets.podName(ordinal)} is let go with ${load} partitions`);
    }
  }

  #judgePause(call: FakeCall): void {
    const sinceMs = this.#pausedSinceMs;
    if (sinceMs === undefined || this.#isDeleting() || call.subresource === 'status') return;
    const isLate = this.#deps.nowMs() - sinceMs > IN_FLIGHT_MS;
    require('paused means hands off', !isLate, () => `${textOf(call)} while spec.paused is true`);
  }

  #noteCluster(cluster: RawCluster): void {
    const { metadata, spec } = cluster;
    this.#noted = { cluster, atMs: this.#deps.nowMs() };
    const { paused, replacePolicy } = (spec ?? {}) as Spec;
    const isPaused = paused === true && metadata.deletionTimestamp === undefined;
    const nowMs = this.#deps.nowMs();
    this.#pausedSinceMs = isPaused ? (this.#pausedSinceMs ?? nowMs) : undefined;
    const { mode = 'Automatic', afterSeconds = 600 } = replacePolicy ?? {};
    const last = this.#policies.at(-1);
    if (last?.mode === mode && last.afterMs === afterSeconds * 1000) return;
    if (last !== undefined) last.untilMs = nowMs;
    this.#policies = this.#policies.filter(({ untilMs }) => untilMs >= nowMs - IN_FLIGHT_MS);
    this.#policies.push({ mode, afterMs: afterSeconds * 1000, untilMs: Number.POSITIVE_INFINITY });
  }

  #cluster(): RawCluster | undefined {
    return this.#deps.api.get(kvClusters, this.#deps.ref);
  }

  /** Where it is gone, what it was for as long as calls of before may be under way. */
  #latest(): RawCluster | undefined {
    const isRecent = this.#deps.nowMs() - (this.#noted?.atMs ?? 0) <= IN_FLIGHT_MS;
    return this.#cluster() ?? (isRecent ? this.#noted?.cluster : undefined);
  }

  #isDeleting(): boolean {
    const cluster = this.#cluster();
    return cluster === undefined || cluster.metadata.deletionTimestamp !== undefined;
  }
}

function readyCondition({ status }: Pod) {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

function isReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === 'True';
}

function readySinceMs(pod: Pod): number {
  return Date.parse(readyCondition(pod)?.lastTransitionTime ?? pod.metadata.creationTimestamp ?? '');
}
