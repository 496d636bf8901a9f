import type { Prng } from '../../store/core/prng/prng.ts';
import { ZONE_LABEL } from '../children/names.ts';
import {
  type Node,
  nodes,
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaims,
  pods,
} from '../kube/resources.ts';
import type { SimApi } from './api.ts';

/** `cut`: nobody reaches it, and what runs on it runs on. `dead`: nothing runs on it. */
export type MachineState = 'up' | 'cut' | 'dead';

type Condition = { readonly type: string; readonly status: string; readonly [field: string]: string };
type Machine = { readonly name: string; state: MachineState; sinceMs: number };

export type NodesDeps = {
  readonly api: SimApi;
  readonly prng: Prng;
  readonly nowMs: () => number;
  readonly note: (text: string) => void;
  /** Whether no node has room for this pod, whatever nodes there are. */
  readonly hasNoRoom: (pod: Pod) => boolean;
  /** Whether the volume of this claim stays on its node. */
  readonly isLocal: (claim: PersistentVolumeClaim) => boolean;
};

const MACHINES = 8;
const ZONES = ['a', 'b', 'c'];
/** The controller of nodes gives a kubelet so long before it takes it for gone (`node-monitor-grace-period`). */
const NOT_READY_AFTER_MS = 40_000;
/** Pods bear a node that is not ready for so long; five minutes in life. */
const EVICTED_AFTER_MS = 90_000;
const READY = { conditions: [{ type: 'Ready', status: 'True' }] };
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

/** Machines and what Kubernetes does about them: it places pods, takes silent nodes for not ready, and tells their pods to end. */
export class SimNodes {
  readonly machines = new Map<string, Machine>();
  /** Counts what happens to machines. */
  turns = 0;
  readonly #deps: NodesDeps;
  readonly #listeners: ((name: string, state: MachineState) => void)[] = [];
  #made = 0;
  /** By the names of machines, those that are away too: they come back where they were. */
  readonly #zones = new Map<string, string>();
  /** Where machines were taken away, the next ones come. */
  readonly #short: string[] = [];

  constructor(deps: NodesDeps) {
    this.#deps = deps;
    for (let i = 0; i < MACHINES; i++) this.add();
  }

  /** A machine that has never been there, or one that comes back with its disk. */
  add(name = `w${++this.#made}`): void {
    this.turns++;
    this.machines.set(name, { name, state: 'up', sinceMs: this.#deps.nowMs() });
    const zone =
      this.#zones.get(name) ?? this.#short.shift() ?? ZONES[this.machines.size % ZONES.length] ?? '';
    this.#zones.set(name, zone);
    this.#putReady(name);
  }

  onTurn(listener: (name: string, state: MachineState) => void): void {
    this.#listeners.push(listener);
  }

  hasKubelet({ spec }: Pod): boolean {
    return this.stateOf(spec?.nodeName) === 'up';
  }

  stateOf(name: string | undefined): MachineState | undefined {
    return name === undefined ? undefined : this.machines.get(name)?.state;
  }

  /** The volume went with its node. */
  isGone(claim: PersistentVolumeClaim): boolean {
    const name = nodeOf(claim);
    return name !== undefined && this.#deps.isLocal(claim) && !this.machines.has(name);
  }

  silence(name: string, state: 'cut' | 'dead'): void {
    this.#turn(name, state);
  }

  /** What ran on when it was cut off runs on; of a machine that was dead everything starts anew. */
  bringBack(name: string): void {
    const machine = this.machines.get(name);
    if (machine === undefined) {
      this.add(name);
      return;
    }
    const wasDead = machine.state === 'dead';
    this.#turn(name, 'up');
    this.#putReady(name);
    if (wasDead) for (const pod of this.#podsOn(name)) this.#unready(pod, { containerStatuses: [] });
  }

  /** Whoever owns the machine says that it is no more. */
  remove(name: string): void {
    this.#turn(name, 'dead');
    this.turns++;
    this.machines.delete(name);
    this.#deps.api.remove(nodes, { name });
    this.#short.push(this.#zones.get(name) ?? '');
  }

  zoneOf(name: string | undefined): string | undefined {
    return name === undefined ? undefined : this.#zones.get(name);
  }

  #putReady(name: string): void {
    const labels = { [ZONE_LABEL]: this.#zones.get(name) ?? '' };
    this.#deps.api.put(nodes, { metadata: { name, labels }, status: READY } as Node);
  }

  #turn(name: string, state: MachineState): void {
    const machine = this.machines.get(name);
    if (machine === undefined) return;
    this.turns++;
    Object.assign(machine, { state, sinceMs: this.#deps.nowMs() });
    this.#deps.note(`node ${name} is ${state}`);
    for (const listener of this.#listeners) listener(name, state);
  }

  /** One change of the controllers; false where there is nothing to do. */
  step(): boolean {
    return this.#place() || this.#judgeOne() || this.#collect();
  }

  #place(): boolean {
    for (const pod of this.#deps.api.list(pods)) {
      if (pod.spec?.nodeName !== undefined || pod.metadata.deletionTimestamp !== undefined) continue;
      const claim = this.#claimOf(pod);
      if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) continue;
      const found = this.#nodeFor(pod, claim);
      if ('node' in found ? this.#bind(pod, claim, found.node) : this.#refuse(pod, found.message))
        return true;
    }
    return false;
  }

  #nodeFor(pod: Pod, claim: PersistentVolumeClaim): { readonly node: string } | { readonly message: string } {
    const tied = this.#deps.isLocal(claim) ? nodeOf(claim) : undefined;
    if (claim.status?.phase === 'Lost') return { message: 'bound to a non-existent persistentvolume' };
    if (tied !== undefined && !this.machines.has(tied))
      return { message: "0/8 nodes are available: 8 node(s) didn't match PersistentVolume's node affinity" };
    if (this.#deps.hasNoRoom(pod)) return { message: '0/8 nodes are available: 8 Insufficient memory' };
    const all = this.#deps.api.list(nodes).filter(isReady);
    const taken = new Set(this.#siblingsOf(pod).flatMap((each) => this.#placesOf(each)));
    const names = all.map(({ metadata }) => metadata.name);
    const free =
      tied === undefined ? this.#freeFor(pod, claim, names, taken) : names.filter((name) => name === tied);
    const node = free[this.#deps.prng.below(Math.max(1, free.length))];
    return node === undefined
      ? { message: '0/8 nodes are available: 8 node(s) had untolerated taint' }
      : { node };
  }

  /** A volume stays in its zone; one without a place goes where the fewest of its KVCluster are. Two on one node where there is no other in the zone. */
  #freeFor(
    pod: Pod,
    claim: PersistentVolumeClaim,
    names: readonly string[],
    taken: ReadonlySet<string | undefined>,
  ): readonly string[] {
    const zone = this.zoneOf(nodeOf(claim));
    const free = names.filter((name) => !taken.has(name));
    if (zone !== undefined) {
      const inZone = free.filter((name) => this.zoneOf(name) === zone);
      return inZone.length > 0 ? inZone : names.filter((name) => this.zoneOf(name) === zone);
    }
    const zones = this.#siblingsOf(pod)
      .flatMap((each) => this.#placesOf(each).slice(0, 1))
      .map((name) => this.zoneOf(name));
    const loadOf = (name: string) => zones.filter((each) => each === this.zoneOf(name)).length;
    const least = Math.min(...free.map(loadOf));
    return free.filter((name) => loadOf(name) === least);
  }

  /** Where it runs, and where it will. */
  #placesOf(pod: Pod): readonly (string | undefined)[] {
    const claim = this.#claimOf(pod);
    const isTied = claim !== undefined && this.#deps.isLocal(claim);
    return isTied ? [pod.spec?.nodeName, nodeOf(claim)] : [pod.spec?.nodeName];
  }

  #bind(pod: Pod, claim: PersistentVolumeClaim, node: string): boolean {
    const { api } = this.#deps;
    const { metadata } = claim;
    if (nodeOf(claim) === undefined)
      api.put(persistentVolumeClaims, {
        ...claim,
        metadata: { ...metadata, annotations: { ...metadata.annotations, [SELECTED_NODE]: node } },
      });
    const conditions = this.#withCondition(pod, { type: 'PodScheduled', status: 'True' });
    const spec = { ...pod.spec, nodeName: node };
    api.put(pods, { ...pod, spec, status: { ...pod.status, conditions } } as Pod);
    return true;
  }

  #refuse(pod: Pod, message: string): boolean {
    const known = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
    if (known?.message === message) return false;
    // It turned when it was first refused, whatever the reasons since.
    const lastTransitionTime = known?.lastTransitionTime ?? new Date(this.#deps.nowMs()).toISOString();
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
    const conditions = this.#withCondition(pod, { ...condition, lastTransitionTime });
    this.#deps.api.put(pods, { ...pod, status: { ...pod.status, conditions } } as Pod);
    return true;
  }

  /** A node that has been silent for long is not ready, nor are its pods; for longer, and they are told to end. */
  #judgeOne(): boolean {
    const { api, nowMs } = this.#deps;
    for (const { name, state, sinceMs } of this.machines.values()) {
      const silentMs = state === 'up' ? 0 : nowMs() - sinceMs;
      if (silentMs < NOT_READY_AFTER_MS) continue;
      const node = api.get(nodes, { name });
      if (node !== undefined && isReady(node)) {
        const conditions = [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }];
        api.put(nodes, { ...node, status: { conditions } } as Node);
        for (const pod of this.#podsOn(name)) this.#unready(pod, {});
        return true;
      }
      const next = this.#podsOn(name).find(({ metadata }) => metadata.deletionTimestamp === undefined);
      if (silentMs < EVICTED_AFTER_MS || next === undefined) continue;
      api.remove(pods, next.metadata);
      return true;
    }
    return false;
  }

  /** Pods of nodes that are no more; now and then somebody else is faster. */
  #collect(): boolean {
    const { api, prng } = this.#deps;
    const orphan = api
      .list(pods)
      .find(({ spec }) => spec?.nodeName !== undefined && !this.machines.has(spec.nodeName));
    if (orphan === undefined || prng.below(30) > 0) return false;
    api.end(pods, orphan.metadata);
    return true;
  }

  #unready(pod: Pod, status: object): void {
    const lastTransitionTime = new Date(this.#deps.nowMs()).toISOString();
    const conditions = this.#withCondition(pod, { type: 'Ready', status: 'False', lastTransitionTime });
    this.#deps.api.put(pods, { ...pod, status: { ...pod.status, ...status, conditions } } as Pod);
  }

  #withCondition({ status }: Pod, condition: Condition): readonly object[] {
    return [...(status?.conditions ?? []).filter(({ type }) => type !== condition.type), condition];
  }

  #podsOn(name: string): readonly Pod[] {
    return this.#deps.api.list(pods).filter(({ spec }) => spec?.nodeName === name);
  }

  /** No two pods of a StatefulSet share a node. */
  #siblingsOf({ metadata }: Pod): readonly Pod[] {
    const family = familyIn(metadata.name);
    return this.#deps.api
      .list(pods)
      .filter(
        (each) => each.metadata.namespace === metadata.namespace && familyIn(each.metadata.name) === family,
      );
  }

  #claimOf({ metadata }: Pod): PersistentVolumeClaim | undefined {
    const { namespace, name } = metadata;
    return this.#deps.api.get(persistentVolumeClaims, { namespace, name: `data-${name}` });
  }
}

/** Of a pod: the name of its StatefulSet. */
function familyIn(name: string): string {
  return name.slice(0, name.lastIndexOf('-'));
}

export function nodeOf(claim: PersistentVolumeClaim | undefined): string | undefined {
  return claim?.metadata.annotations?.[SELECTED_NODE];
}

function isReady({ status }: Node): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
}
