import { Violation } from '../../store/sim/checkers/violation.ts';
import { ANNOTATIONS } from '../children/names.ts';
import type { KubeObject } from '../kube/resource.ts';
import {
  leases,
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaims,
  pods,
  type StatefulSet,
  statefulSets,
} from '../kube/resources.ts';
import { kvClusters, type RawCluster } from '../reconcile/kinds.ts';
import type { TestStoreView } from '../reconcile/test-store-view.ts';
import { type FakeCall, WRITES } from '../testing/fake-api-server-call.ts';
import type { FakeKubelets } from '../testing/fake-kubelets.ts';
import type { SimApi } from './api.ts';
import type { OperatorProcess } from './operator-process.ts';

export type ChecksDeps = {
  readonly api: SimApi;
  readonly kubelets: FakeKubelets;
  readonly view: TestStoreView;
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

type Spec = {
  readonly paused?: boolean;
  readonly storage?: { readonly retention?: { readonly whenDeleted?: string } };
};

/** What must hold whenever an act of an operator has its effect. */
export class Checks {
  readonly #deps: ChecksDeps;
  /** Ordinals whose pods an operator told to end, and that are not back yet. */
  readonly #stopped = new Set<number>();
  #pausedSinceMs: number | undefined;
  /** Factor and number of members, and since when. */
  #size = { text: '', sinceMs: 0 };
  /** Rights that were used: group, resource and verb. */
  readonly rights = new Set<string>();

  constructor(deps: ChecksDeps) {
    this.#deps = deps;
    deps.api.onChange(({ resource, object }) => {
      if (resource.kind === kvClusters.kind) this.#noteCluster(object as RawCluster);
    });
  }

  /** At each step of the world. */
  look(): void {
    const { kubelets, view, nowMs } = this.#deps;
    for (const ordinal of this.#stopped) {
      const pod = kubelets.pod(ordinal);
      if (pod !== undefined && pod.metadata.deletionTimestamp === undefined && isReady(pod))
        this.#stopped.delete(ordinal);
    }
    const text = `${view.inner?.factor} ${view.inner?.members.size}`;
    if (text !== this.#size.text) this.#size = { text, sinceMs: nowMs() };
  }

  /** Only who holds the lease changes anything but the lease and events. */
  sent(call: FakeCall, { identity }: OperatorProcess): void {
    this.rights.add(rightOf(call));
    if (!isAct(call)) return;
    const lease = this.#deps.api.get(leases, { namespace: 'kvorum-system', name: 'kvorum-operator' });
    const holder = lease?.spec?.holderIdentity;
    require('only the leader acts', holder === identity, () =>
      `${identity} does ${textOf(call)}, and ${holder} leads`);
  }

  /** Before the effect; what is returned is to be called after it, if it had one. */
  judge(call: FakeCall, _: OperatorProcess): () => void {
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
    const { api, view } = this.#deps;
    const [cluster] = api.list(kvClusters);
    const written = cluster?.status?.clusterId;
    require('the id is written down before the cluster is made', written === clusterId, () =>
      `${clusterId} is made, and the status has ${written}`);
    const holding = api
      .list(persistentVolumeClaims)
      .filter(({ metadata }) => view.memberOn(metadata.uid ?? '') !== undefined);
    const isAgain = view.inner?.clusterId === clusterId;
    require('a cluster is made once', isAgain || holding.length === 0, () =>
      `${clusterId} is made, and ${holding.map(({ metadata }) => metadata.name)} hold data`);
  }

  /** How a pod stands just before it is told to end. */
  #stateOf(name: string): PodState {
    const { kubelets, view, nowMs } = this.#deps;
    const ordinal = Number(name.slice(name.lastIndexOf('-') + 1));
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
      `${[...this.#stopped].map((i) => `kv-${i}`)} are stopped, and ${lost.length} partitions lack a majority`);
  }

  #numberOf(ordinal: number): number {
    const { kubelets, view } = this.#deps;
    return view.memberOn(kubelets.claim(ordinal)?.metadata.uid ?? '') ?? 0;
  }

  #judgeClaim({ metadata, status }: PersistentVolumeClaim): void {
    const { api, view } = this.#deps;
    const [cluster] = api.list(kvClusters);
    const isOurs = metadata.annotations?.[ANNOTATIONS.clusterUid] === cluster?.metadata.uid;
    require('only own volumes are deleted', isOurs, () => `${metadata.name} is not of this KVCluster`);
    const { inner } = view;
    const number = view.memberOn(metadata.uid ?? '');
    if (number === undefined || inner === undefined) return;
    if (this.#isDeleting()) {
      const policy = (cluster?.spec as Spec | undefined)?.storage?.retention?.whenDeleted;
      require('kept volumes are kept', policy === 'Delete', () =>
        `${metadata.name} goes with its cluster, and was to be kept`);
      return;
    }
    const own = inner.sets.filter((set) => set.includes(number));
    const isSpare = own.every(
      (set) => set.filter((each) => each !== number && view.isUp(each)).length * 2 > set.length,
    );
    if (status?.phase === 'Lost' && isSpare) return;
    require('volumes of members are kept', !inner.members.has(number), () =>
      `${metadata.name} is deleted, and member ${number} has not left`);
    require('volumes of members are kept', own.length === 0, () =>
      `${metadata.name} is deleted, and member ${number} is counted on`);
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
        `kv-${ordinal} is let go with ${load} partitions`);
    }
  }

  #judgePause(call: FakeCall): void {
    const sinceMs = this.#pausedSinceMs;
    if (sinceMs === undefined || this.#isDeleting() || call.subresource === 'status') return;
    const isLate = this.#deps.nowMs() - sinceMs > IN_FLIGHT_MS;
    require('paused means hands off', !isLate, () => `${textOf(call)} while spec.paused is true`);
  }

  #noteCluster({ metadata, spec }: RawCluster): void {
    const isPaused = (spec as Spec | undefined)?.paused === true && metadata.deletionTimestamp === undefined;
    this.#pausedSinceMs = isPaused ? (this.#pausedSinceMs ?? this.#deps.nowMs()) : undefined;
  }

  #isDeleting(): boolean {
    const [cluster] = this.#deps.api.list(kvClusters);
    return cluster === undefined || cluster.metadata.deletionTimestamp !== undefined;
  }
}

function isAct({ verb, resource }: FakeCall): boolean {
  return WRITES.includes(verb) && resource?.kind !== leases.kind && resource?.kind !== 'Event';
}

function textOf({ verb, path }: FakeCall): string {
  return `${verb} ${path}`;
}

export function rightOf({ verb, resource, subresource }: FakeCall): string {
  const name = subresource === undefined ? resource?.plural : `${resource?.plural}/${subresource}`;
  return `${resource?.group}/${name} ${verb}`;
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

function require(check: string, holds: boolean, message: () => string): void {
  if (!holds) throw new Violation(check, message());
}
