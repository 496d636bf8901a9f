import type { Clock } from '../store/ports/clock.ts';
import type { Random } from '../store/ports/random.ts';
import { EventRecorder } from './kube/event-recorder.ts';
import type { KubeClient } from './kube/kube-client.ts';
import type { KubeLog } from './kube/kube-log.ts';
import { type LeadingEnd, LeaseElector } from './kube/lease-elector.ts';
import type { Resource } from './kube/resource.ts';
import { WorkQueue } from './kube/work-queue.ts';
import { WorkerPool } from './kube/worker-pool.ts';
import type { OperatorMetrics } from './metrics.ts';
import { ApiFinder } from './reconcile/api-finder.ts';
import { kvClusters, type RawCluster } from './reconcile/kinds.ts';
import { cachedView, liveView } from './reconcile/kube-view.ts';
import { Observer } from './reconcile/observe.ts';
import { type EventType, Reconciler } from './reconcile/reconciler.ts';
import { StoreAccessReader } from './reconcile/store-access.ts';
import type { StoreView } from './store-view/store-view.ts';
import { findAbilities, Watches } from './watches.ts';

const LEASE_NAME = 'kvorum-operator';
const CONTROLLER = 'kvorum.dev/operator';
/** For reconciles under way when it stops; each act is one call. */
const STOP_GRACE_MS = 10_000;

export type OperatorOptions = {
  /** Where it runs: its lease is there. */
  readonly namespace: string;
  /** Differs between all operators that take part. */
  readonly identity: string;
  /** Undefined for all namespaces. */
  readonly watchNamespaces: readonly string[] | undefined;
  /** KVClusters that are worked on at the same time. */
  readonly workers: number;
};

export type OperatorDeps = {
  readonly client: KubeClient;
  readonly store: StoreView;
  readonly clock: Clock;
  /** A secure source: tokens are drawn of it. */
  readonly random: Random;
  readonly log: KubeLog;
  readonly metrics: OperatorMetrics;
};

/** All of the operator but the process: watches, queue, workers, and the lease of the one that acts. */
export class Operator {
  readonly #options: OperatorOptions;
  readonly #deps: OperatorDeps;
  readonly #elector: LeaseElector;
  readonly #queue: WorkQueue;
  readonly #events: EventRecorder;
  #watches: Watches | undefined;

  constructor(options: OperatorOptions, deps: OperatorDeps) {
    const { namespace, identity } = options;
    const { clock, metrics } = deps;
    this.#options = options;
    this.#deps = deps;
    const onChange = (isLeading: boolean) => metrics.setLeader(isLeading);
    this.#elector = new LeaseElector({ namespace, name: LEASE_NAME, identity }, { ...deps, onChange });
    this.#queue = new WorkQueue({}, { clock, observer: metrics.queueObserver });
    this.#events = new EventRecorder({ controller: CONTROLLER, instance: identity }, deps);
  }

  /** What keeps it from its work; undefined where nothing does. One that waits for the lease is ready to take it. */
  notReady(): string | undefined {
    return this.#watches?.isSynced === true ? undefined : 'waiting for the first lists of what it watches';
  }

  /** Until `signal` ends it, or the lease is lost: then the process has to end, since its work may not. */
  async run(signal: AbortSignal): Promise<LeadingEnd> {
    const { client, log } = this.#deps;
    const abilities = await findAbilities(client);
    log.info(abilities, 'what this Kubernetes has');
    const namespaces = this.#options.watchNamespaces;
    const watches = new Watches({ ...abilities, namespaces }, this.#deps, (key) => this.#queue.add(key));
    this.#watches = watches;
    watches.start();
    try {
      return await this.#elector.run((leading) => this.#lead(watches, abilities, leading), signal);
    } finally {
      await watches.stop();
      await this.#events.stop();
    }
  }

  async #lead(watches: Watches, abilities: Abilities, leading: AbortSignal): Promise<void> {
    const ended = new Promise<void>((resolve) =>
      leading.addEventListener('abort', () => resolve(), { once: true }),
    );
    await Promise.race([watches.synced(), ended]);
    if (leading.aborted) return;
    const reconciler = this.#reconciler(watches, abilities);
    const { clock, log, metrics } = this.#deps;
    const work = (key: string, signal: AbortSignal) =>
      reconciler.reconcile(key, AbortSignal.any([signal, leading]));
    const observe = metrics.observeReconcile;
    const { workers } = this.#options;
    const pool = new WorkerPool({ workers }, { queue: this.#queue, work, clock, log, observe });
    metrics.watch(() => ({
      queueDepth: this.#queue.depth,
      delayedKeys: this.#queue.delayed,
      longestWorkSeconds: this.#queue.longestWorkMs / 1000,
      activeWorkers: pool.active,
    }));
    pool.start();
    await ended;
    await pool.stop(STOP_GRACE_MS);
  }

  #reconciler(watches: Watches, abilities: Abilities): Reconciler {
    const { store, clock, random } = this.#deps;
    const mayAct = this.#elector.assertLeading;
    const client = this.#deps.client.guarded(mayAct);
    const access = new StoreAccessReader({ client, clock });
    const { canReadNodes } = abilities;
    const options = { operatorNamespace: this.#options.namespace, canReadNodes };
    const onFound = (resource: Resource) => watches.watch(resource);
    const apis = new ApiFinder(abilities.apis, { client, clock, onFound });
    const nowMs = () => clock.nowMs();
    const accessOf: StoreAccessReader['read'] = (cluster) => access.read(cluster);
    return new Reconciler({
      observer: new Observer(options, { store, apis, nowMs, accessOf }),
      client,
      store,
      cached: cachedView(watches.caches, liveView(client)),
      random,
      clock,
      mayAct,
      tell: (about, type, reason, note) => this.#tell(about, type, reason, note),
    });
  }

  #tell(about: RawCluster, type: EventType, reason: string, note: string): void {
    const { group, version, kind } = kvClusters;
    const object = { ...about, apiVersion: `${group}/${version}`, kind };
    this.#events.record(object, { type, reason, action: reason, note });
  }
}

type Abilities = Awaited<ReturnType<typeof findAbilities>>;
