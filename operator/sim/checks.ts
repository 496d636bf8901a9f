import { Violation } from '../../store/sim/checkers/violation.ts';
import type { KubeObject } from '../kube/resource.ts';
import { keyOf } from '../kube/resource.ts';
import { leases, pods } from '../kube/resources.ts';
import { kvClusters } from '../reconcile/kinds.ts';
import type { StoreTarget } from '../store-view/store-view.ts';
import { type FakeCall, WRITES } from '../testing/fake-api-server-call.ts';
import type { SimApi } from './api.ts';
import type { SimCluster } from './cluster.ts';
import type { OperatorProcess } from './operator-process.ts';

export type ChecksDeps = { readonly api: SimApi; readonly clusters: readonly SimCluster[] };

/** What must hold of every act of an operator; what must hold of one KVCluster is in cluster-checks.ts. */
export class Checks {
  readonly #deps: ChecksDeps;
  /** Each reconcile has a signal of its own, and begins with a look at its KVCluster. */
  readonly #keys = new WeakMap<AbortSignal, string>();
  /** Rights that were used: group, resource and verb. */
  readonly rights = new Set<string>();

  constructor(deps: ChecksDeps) {
    this.#deps = deps;
  }

  /** Only who holds the lease changes anything but the lease and events. */
  sent(call: FakeCall, { identity }: OperatorProcess, signal: AbortSignal | undefined): void {
    this.rights.add(rightOf(call));
    const isLook = call.resource?.kind === kvClusters.kind && call.name !== undefined;
    if (signal !== undefined && isLook && !this.#keys.has(signal))
      this.#keys.set(signal, `${call.namespace}/${call.name}`);
    if (!isAct(call)) return;
    const lease = this.#deps.api.get(leases, { namespace: 'kvorum-system', name: 'kvorum-operator' });
    const holder = lease?.spec?.holderIdentity;
    require('only the leader acts', holder === identity, () =>
      `${identity} does ${textOf(call)}, and ${holder} leads`);
  }

  /** Before the effect; what is returned is to be called after it, if it had one. */
  judge(call: FakeCall, signal: AbortSignal | undefined): () => void {
    if (!isAct(call)) return () => undefined;
    const key = signal === undefined ? undefined : this.#keys.get(signal);
    const cluster = this.#deps.clusters.find((each) => each.key === key);
    const isOwn = cluster !== undefined && this.#isOwn(cluster, call);
    const next = cluster?.checks.judge(call);
    return () => {
      require('whoever works on one KVCluster touches no other one', isOwn, () =>
        `the work on ${key} does ${textOf(call)}`);
      next?.();
    };
  }

  #isOwn(cluster: SimCluster, { resource, namespace, name, body }: FakeCall): boolean {
    if (resource === undefined) return false;
    const sent = body as KubeObject | undefined;
    const ref = { namespace, name: name ?? sent?.metadata.name ?? '' };
    return cluster.owns(resource, ref, this.#deps.api.get(resource, ref) ?? sent);
  }

  /** A store is spoken to at the pods of its own KVCluster. */
  speaks({ key, nodes }: StoreTarget): void {
    const cluster = this.#deps.clusters.find((each) => keyOf({ metadata: each.ref }) === key);
    const strange = nodes.filter(
      ({ name }) =>
        cluster?.kubelets.ordinalOf(pods, { namespace: cluster.ref.namespace, name }) === undefined,
    );
    require('a store is asked at its own pods', strange.length === 0, () =>
      `${key} is asked at ${strange.map(({ name }) => name)}`);
  }
}

export function isAct({ verb, resource }: FakeCall): boolean {
  return WRITES.includes(verb) && resource?.kind !== leases.kind && resource?.kind !== 'Event';
}

export function textOf({ verb, path }: FakeCall): string {
  return `${verb} ${path}`;
}

function rightOf({ verb, resource, subresource }: FakeCall): string {
  const name = subresource === undefined ? resource?.plural : `${resource?.plural}/${subresource}`;
  return `${resource?.group}/${name} ${verb}`;
}

export function require(check: string, holds: boolean, message: () => string): void {
  if (!holds) throw new Violation(check, message());
}
