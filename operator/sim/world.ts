import { createPrng, type Prng } from '../../store/core/prng/prng.ts';
import { settle } from '../../store/io/settle.ts';
import { Violation } from '../../store/sim/checkers/violation.ts';
import { SimClock } from '../../store/sim/sim-clock.ts';
import type { Pod } from '../kube/resources.ts';
import { services } from '../kube/resources.ts';
import { kvClusters } from '../reconcile/kinds.ts';
import { TestStoreView } from '../reconcile/test-store-view.ts';
import { FakeKubelets } from '../testing/fake-kubelets.ts';
import { SimApi } from './api.ts';
import { Checks } from './checks.ts';
import { collectOne } from './collector.ts';
import { CallFaults } from './faults.ts';
import { OperatorProcess } from './operator-process.ts';
import { REF, User } from './user.ts';
import { SimWatches } from './watches.ts';

const START_WALL_MS = Date.UTC(2026, 0, 1);
const GRACE_MS = 120_000;
const ORDINALS_MAX = 10;
const OPERATORS = 2;

/** Two operators, an API server, controllers, kubelets, a store and a user, all on one clock and drawn of one seed. */
export class SimWorld {
  readonly clock = new SimClock(START_WALL_MS);
  readonly api: SimApi;
  readonly kubelets: FakeKubelets;
  readonly view: TestStoreView;
  readonly watches: SimWatches;
  readonly checks: Checks;
  readonly faults: CallFaults;
  readonly user: User;
  /** What happened, in order, with its time. */
  readonly trace: string[] = [];
  deaths = 0;
  readonly #prng: Prng;
  #bug: unknown;
  #started = 0;
  #stopped = false;

  constructor(seed: number) {
    const prng = createPrng(seed);
    const fork = (): Prng => createPrng(prng.uint32());
    this.#prng = fork();
    const { clock } = this;
    const nowMs = () => clock.nowMs();
    this.api = new SimApi([kvClusters], { clock });
    this.kubelets = new FakeKubelets(this.api, REF, { nowMs, mayEnd: (pod) => this.#mayEnd(pod) });
    this.view = new TestStoreView(this.kubelets, nowMs);
    this.watches = new SimWatches({ api: this.api, prng: fork(), nowMs, after: this.after });
    this.checks = new Checks({ api: this.api, kubelets: this.kubelets, view: this.view, nowMs });
    this.faults = new CallFaults(fork());
    const note = (text: string) => this.note(text);
    this.user = new User({
      api: this.api,
      kubelets: this.kubelets,
      view: this.view,
      prng: fork(),
      nowMs,
      note,
    });
    this.api.onChange(({ type, resource, object }) => {
      if (resource.kind !== 'Lease' && resource.kind !== 'Event')
        note(`${type} ${resource.kind} ${object.metadata.name}`);
    });
  }

  start(): void {
    this.user.write();
    for (let i = 0; i < OPERATORS; i++) this.#startOperator();
    this.every(800, () => this.#step());
    this.every(1200, () => void this.view.step());
    this.every(5000, () => void collectOne(this.api));
    this.every(20_000, () => this.user.write());
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

  #step(): void {
    const { kubelets, checks } = this;
    for (let ordinal = 0; ordinal < ORDINALS_MAX; ordinal++)
      if (kubelets.claim(ordinal)?.status?.phase !== 'Lost') kubelets.unschedulable.delete(ordinal);
      else kubelets.unschedulable.add(ordinal);
    kubelets.steps[this.#prng.below(kubelets.steps.length)]?.();
    checks.look();
  }

  /** The hook before the end of a pod: it waits for the store's word, unless the cluster goes as a whole, and no longer than it may. */
  #mayEnd({ metadata }: Pod): boolean {
    const sinceMs = Date.parse(metadata.deletionTimestamp ?? '');
    const isAlone = this.api.get(services, { ...REF, name: `${REF.name}-peers` }) === undefined;
    const ordinal = Number(metadata.name.slice(metadata.name.lastIndexOf('-') + 1));
    return isAlone || this.clock.nowMs() - sinceMs > GRACE_MS || this.view.mayStop(ordinal);
  }

  #startOperator(): void {
    const process = new OperatorProcess(`operator-${++this.#started}`, {
      ...{ api: this.api, watches: this.watches, faults: this.faults, checks: this.checks, view: this.view },
      ...{ clock: this.clock, after: this.after, prng: createPrng(this.#prng.uint32()) },
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
