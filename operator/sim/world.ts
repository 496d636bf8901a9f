import { createPrng, type Prng } from '../../store/core/prng/prng.ts';
import { settle } from '../../store/io/settle.ts';
import { Violation } from '../../store/sim/checkers/violation.ts';
import { SimClock } from '../../store/sim/sim-clock.ts';
import type { ObjectRef, Resource } from '../kube/resource.ts';
import { persistentVolumeClaims, pods } from '../kube/resources.ts';
import { kvClusters } from '../reconcile/kinds.ts';
import { type FakeCall, WRITES } from '../testing/fake-api-server-call.ts';
import { SimApi } from './api.ts';
import { Checks } from './checks.ts';
import { SimCluster } from './cluster.ts';
import { collectOne } from './collector.ts';
import { CallFaults } from './faults.ts';
import { Ghosts } from './ghosts.ts';
import { SimNodes } from './nodes.ts';
import { OperatorProcess } from './operator-process.ts';
import { Outages } from './outages.ts';
import { type ClusterPlan, drawClusters } from './plan.ts';
import { SimWatches } from './watches.ts';

const START_WALL_MS = Date.UTC(2026, 0, 1);
const OPERATORS = 2;

/** Two operators, an API server, controllers, machines, and KVClusters with their kubelets, stores and users, on one clock and drawn of one seed. */
export class SimWorld {
  readonly clock = new SimClock(START_WALL_MS);
  readonly api: SimApi;
  readonly nodes: SimNodes;
  readonly clusters: readonly SimCluster[];
  readonly watches: SimWatches;
  readonly checks: Checks;
  readonly faults: CallFaults;
  readonly outages: Outages;
  /** What happened, in order, with its time. */
  readonly trace: string[] = [];
  deaths = 0;
  readonly #prng: Prng;
  #bug: unknown;
  #started = 0;
  #stopped = false;

  constructor(seed: number, plans?: readonly ClusterPlan[]) {
    const prng = createPrng(seed);
    const fork = (): Prng => createPrng(prng.uint32());
    this.#prng = fork();
    const { clock, after } = this;
    const nowMs = () => clock.nowMs();
    const note = (text: string) => this.note(text);
    const api = new SimApi([kvClusters], { clock });
    this.api = api;
    this.nodes = new SimNodes({
      ...{ api, nowMs, note, prng: fork() },
      hasNoRoom: ({ metadata }) => this.#owner(pods, metadata)?.hindrance === 'unschedulable',
      isLocal: ({ metadata }) => this.#owner(persistentVolumeClaims, metadata)?.volumes === 'local',
    });
    const around = { api, nodes: this.nodes, nowMs, note, fork, all: () => this.clusters };
    this.clusters = (plans ?? drawClusters(fork())).map((plan) => new SimCluster(plan, around));
    const { nodes, clusters } = this;
    this.watches = new SimWatches({ api, prng: fork(), nowMs, after });
    this.checks = new Checks({ api, clusters });
    this.faults = new CallFaults(fork());
    this.outages = new Outages({ nodes, clusters, prng: fork(), after });
    new Ghosts({ api, nodes });
    api.onChange(({ type, resource, object }) => {
      const { namespace = '', name } = object.metadata;
      if (resource.kind !== 'Lease' && resource.kind !== 'Event')
        note(`${type} ${resource.kind} ${namespace}/${name}`);
    });
  }

  start(): void {
    for (let i = 0; i < OPERATORS; i++) this.#startOperator();
    this.every(800, () => void this.nodes.step());
    this.every(5000, () => void collectOne(this.api));
    for (const cluster of this.clusters) {
      cluster.user.write();
      this.every(800, () => cluster.step());
      this.every(1200, () => cluster.stepStore());
      this.every(5000, () => cluster.replaceLost());
      this.every(20_000, () => cluster.bringSettings());
      this.every(20_000, () => cluster.user.write());
    }
  }

  readonly after = (delayMs: number, what: () => void): { cancel(): void } =>
    this.clock.setTimer(delayMs, what);

  /** About every `meanMs`. */
  every(meanMs: number, what: () => void): void {
    this.after(meanMs / 2 + this.#prng.below(meanMs), () => {
      if (this.#stopped) return;
      what();
      this.every(meanMs, what);
    });
  }

  note(text: string): void {
    this.trace.push(`${(this.clock.monotonicMs() / 1000).toFixed(3)} ${text}`);
  }

  /** Time goes on, event by event. Throws Violation, and what else no operator may do. */
  async run(durationMs: number, until: () => boolean = () => false): Promise<boolean> {
    const { clock } = this;
    const endMs = clock.monotonicMs() + durationMs;
    for (;;) {
      await settle();
      if (this.#bug !== undefined) throw this.#bug;
      if (until()) return true;
      const dueMs = clock.nextDueMs();
      if (dueMs === undefined || dueMs > endMs) return false;
      clock.advance(dueMs - clock.monotonicMs());
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  #owner(resource: Resource, ref: ObjectRef): SimCluster | undefined {
    return this.clusters.find((cluster) => cluster.owns(resource, ref, undefined));
  }

  /** Of a KVCluster whose objects the API server fails to write; its own status it writes. */
  #isRefused({ verb, resource, namespace, name, body }: FakeCall): boolean {
    if (resource === undefined || !WRITES.includes(verb) || resource.kind === kvClusters.kind) return false;
    const sent = body as { readonly metadata?: ObjectRef } | undefined;
    const ref = { namespace, name: name ?? sent?.metadata?.name ?? '' };
    return this.clusters.some(
      (each) => each.hindrance === 'refused' && each.owns(resource, ref, sent as never),
    );
  }

  #startOperator(): void {
    const { api, watches, faults, checks, clusters, clock, after } = this;
    const process = new OperatorProcess(`operator-${++this.#started}`, {
      ...{ api, watches, faults, checks, clusters, clock, after, prng: createPrng(this.#prng.uint32()) },
      isRefused: (call) => this.#isRefused(call),
      onBug: (error) => {
        this.#bug ??= error;
      },
      onEnd: ({ identity }, why) => {
        this.deaths++;
        this.note(`${identity} ends: ${why}`);
        this.after(500 + this.#prng.below(15_000), () => this.#startOperator());
      },
    });
    this.note(`${process.identity} starts`);
    process.start();
  }
}

export function violationOf(error: unknown): { readonly check: string; readonly message: string } {
  if (error instanceof Violation) return { check: error.check, message: error.message };
  const { stack, message } = error instanceof Error ? error : new Error(String(error));
  return { check: 'nothing is thrown', message: stack ?? message };
}
