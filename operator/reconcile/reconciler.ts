import type { Clock } from '../../store/ports/clock.ts';
import type { Random } from '../../store/ports/random.ts';
import type { KVCluster, KVClusterStatus } from '../api/kvcluster.ts';
import { clientHost, headlessHost, selectorText } from '../children/names.ts';
import type { Act, Refusal } from '../core/plan/act.ts';
import { type Plan, planNext } from '../core/plan/plan-next.ts';
import { camelCase } from '../core/status/conditions.ts';
import { isSameStatus, statusOf } from '../core/status/status-of.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { keyOf, type ObjectRef, refOf } from '../kube/resource.ts';
import type { StoreView } from '../store-view/store-view.ts';
import { kvClusters, type RawCluster } from './kinds.ts';
import { type KubeView, liveView } from './kube-view.ts';
import type { Observer, Seen } from './observe.ts';
import { runAct } from './run-act.ts';
import { StatusPace } from './status-pace.ts';

/** Acts that are refused in one reconcile before the rest has to wait for the next one. */
const REFUSALS_MAX = 20;

export type EventType = 'Normal' | 'Warning';
/** Tells people what is done, and what is refused; never thrown from. */
export type TellEvent = (about: RawCluster, type: EventType, reason: string, note: string) => void;

export type ReconcilerDeps = {
  readonly observer: Observer;
  readonly client: KubeClient;
  readonly store: StoreView;
  /** What is watched, from memory. */
  readonly cached: KubeView;
  readonly random: Random;
  readonly clock: Clock;
  readonly tell: TellEvent;
  /** Throws where this one may change nothing any more. Asked before each act; `client` asks before each write. */
  readonly mayAct: () => void;
};

/**
 * Observe, plan, one act, status. Caches say only whether there is something to do; what is done follows from a look at the API server and
 * the leader of the store that was taken for it, so that a cache that is behind can delete nothing.
 */
export class Reconciler {
  readonly #deps: ReconcilerDeps;
  readonly #pace: StatusPace;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
    this.#pace = new StatusPace(deps);
  }

  /** `key` is `namespace/name`. */
  async reconcile(key: string, signal: AbortSignal): Promise<{ readonly requeueAfterMs?: number }> {
    const ref = refOf(key);
    const { cached, client } = this.#deps;
    const known = await cached.get(kvClusters, ref);
    if (known === undefined) return await this.#gone(key, ref, signal);
    const first = await this.#look(known, cached);
    if (planNext(first.observation).act === undefined) return await this.#tell(known, first, [], signal);
    const raw = await client.get(kvClusters, ref, signal);
    if (raw === undefined) return await this.#gone(key, ref, signal);
    const seen = await this.#look(raw, liveView(client, signal));
    const refusals = await this.#act(raw, seen, signal);
    return refusals === 'acted' ? { requeueAfterMs: 0 } : await this.#tell(raw, seen, refusals, signal);
  }

  async #look(raw: RawCluster, view: KubeView): Promise<Seen> {
    return await this.#deps.observer.observe(raw, view);
  }

  /** The first act that is not refused; what was refused, where nothing was done. */
  async #act(raw: RawCluster, seen: Seen, signal: AbortSignal): Promise<'acted' | readonly Refusal[]> {
    const { client, observer, store, random, tell, mayAct } = this.#deps;
    const { applied } = observer;
    const refused: Refusal[] = [];
    while (refused.length < REFUSALS_MAX) {
      const plan = planNext(seen.observation, refused);
      if (plan.act === undefined) return refused;
      mayAct();
      const isQuiet = QUIET.has(plan.act.type);
      // Before it is done: who wonders where a volume went finds the reason, also where the operator ended in between.
      if (IRREVERSIBLE.has(plan.act.type)) tell(raw, 'Normal', camelCase(plan.act.type), plan.message);
      const refusal = await runAct({ seen, client, store, applied, random, signal }, plan.act);
      if (refusal === undefined) {
        if (!isQuiet && !IRREVERSIBLE.has(plan.act.type))
          tell(raw, 'Normal', camelCase(plan.act.type), plan.message);
        await this.#writeStatus(raw, seen, planNext(seen.observation, refused), signal, {
          isAfterAct: plan.act,
        });
        return 'acted';
      }
      refused.push(refusal);
    }
    return refused;
  }

  async #tell(
    raw: RawCluster,
    seen: Seen,
    refused: readonly Refusal[],
    signal: AbortSignal,
  ): Promise<{ readonly requeueAfterMs: number }> {
    const plan = planNext(seen.observation, refused);
    const waitMs = await this.#writeStatus(raw, seen, plan, signal, {});
    return { requeueAfterMs: waitMs > 0 ? Math.min(waitMs, plan.requeueMs) : plan.requeueMs };
  }

  /**
   * Nothing is written where nothing is different: a cluster at rest makes no writes. Returns for how long what was not written yet has to
   * wait, 0 where there is nothing left.
   */
  async #writeStatus(
    raw: RawCluster,
    { cluster, observation }: Seen,
    plan: Plan,
    signal: AbortSignal,
    { isAfterAct }: { readonly isAfterAct?: Act },
  ): Promise<number> {
    // The id is in the status now, which this one does not know of; the finalizer may have been all that held the object.
    if (isAfterAct?.type === 'record-cluster-id' || isAfterAct?.type === 'set-finalizer') return 0;
    const previous = raw.status;
    const status = statusOf(observation, plan, {
      generation: cluster.metadata.generation ?? 0,
      previous,
      selector: selectorText(cluster),
      endpoints: endpointsOf(cluster),
    });
    if (isSameStatus(previous, status)) return 0;
    const { name, namespace, uid, resourceVersion } = cluster.metadata;
    const key = keyOf(cluster);
    const waitMs = this.#pace.waitMs(key, previous, status);
    if (waitMs > 0) return waitMs;
    this.#tellRefusals(raw, previous, plan);
    // On the version that it was made for: one that comes late would take back what a newer one said.
    const body = withRemovals(previous, status);
    await this.#deps.client.patchStatus(
      kvClusters,
      { name, namespace },
      body,
      { uid, resourceVersion },
      signal,
    );
    this.#pace.wrote(key);
    return 0;
  }

  /** Once, when it comes up: it stands in the conditions from then on. */
  #tellRefusals(raw: RawCluster, previous: KVClusterStatus | undefined, plan: Plan): void {
    const told = new Set(previous?.conditions?.map(({ message }) => message));
    const fresh = plan.refusals.filter(({ message }) => !told.has(message));
    for (const { reason, message } of fresh) this.#deps.tell(raw, 'Warning', reason, message);
  }

  /** A cache that does not know it yet, or a cluster that was deleted: nothing is ours any more. */
  async #gone(
    key: string,
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<{ readonly requeueAfterMs?: number }> {
    const { client, observer, store } = this.#deps;
    const live = await client.get(kvClusters, ref, signal);
    if (live !== undefined) return { requeueAfterMs: 1000 };
    this.#pace.forget(key);
    observer.forget(key);
    await store.forget(key);
    return {};
  }
}

/** Told of before they are done. */
const IRREVERSIBLE: ReadonlySet<Act['type']> = new Set([
  'delete-claim',
  'replace-volume',
  'delete-stateful-set',
]);
/** Too many, and of no interest to who reads events. */
const QUIET: ReadonlySet<Act['type']> = new Set([
  'apply-child',
  'record-cluster-id',
  'mark-claim',
  'set-finalizer',
]);

function endpointsOf(cluster: KVCluster): NonNullable<KVClusterStatus['endpoints']> {
  const { resp, service } = cluster.spec;
  const host = clientHost(cluster);
  return {
    client: `${host}:${service.ports.http}`,
    ...(resp.enabled && { resp: `${host}:${service.ports.resp}` }),
    headless: headlessHost(cluster),
  };
}

/** In a merge patch null takes away what is not there any more, also within the two parts whose fields come and go. */
function withRemovals(previous: KVClusterStatus | undefined, status: KVClusterStatus): object {
  const { operation, endpoints } = status;
  return {
    ...removals(previous, status),
    ...status,
    ...(operation && { operation: { ...removals(previous?.operation, operation), ...operation } }),
    ...(endpoints && { endpoints: { ...removals(previous?.endpoints, endpoints), ...endpoints } }),
  };
}

function removals(before: object | undefined, now: object): Readonly<Record<string, null>> {
  const gone = Object.keys(before ?? {}).filter((key) => !(key in now));
  return Object.fromEntries(gone.map((key) => [key, null]));
}
