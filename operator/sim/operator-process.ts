import type { Prng } from '../../store/core/prng/prng.ts';
import type { Clock } from '../../store/ports/clock.ts';
import { randomOf } from '../../store/sim/sim-random.ts';
import { KubeClient } from '../kube/kube-client.ts';
import { KubeError } from '../kube/kube-error.ts';
import type { KubeLog } from '../kube/kube-log.ts';
import type { OperatorMetrics } from '../metrics.ts';
import { Operator } from '../operator.ts';
import { NoAnswer } from '../reconcile/test-store-view.ts';
import { StoreRefusal } from '../store-view/store-view.ts';
import { SimStoreView, type StoreViewDeps } from './store-view.ts';
import { SimTransport, type TransportDeps } from './transport.ts';

export type ProcessDeps = Omit<TransportDeps, 'process'> &
  Omit<StoreViewDeps, 'process'> & {
    readonly prng: Prng;
    readonly clock: Clock;
    /** What no operator may ever meet: a bug. */
    readonly onBug: (error: unknown) => void;
    readonly onEnd: (process: OperatorProcess, why: string) => void;
  };

/**
 * An operator from its start to its death: after that none of its timers fires, and it hears no answer. While it is paused, as by a virtual machine
 * that stands still, the same; when it goes on it hears all of that, answers first: it may take itself for what it was.
 */
export class OperatorProcess {
  readonly identity: string;
  isAlive = true;
  #isPaused = false;
  #answers: (() => void)[] = [];
  #timers: (() => void)[] = [];
  readonly #deps: ProcessDeps;

  constructor(identity: string, deps: ProcessDeps) {
    this.identity = identity;
    this.#deps = deps;
  }

  start(): void {
    const { prng, onBug } = this.#deps;
    const clock = this.#clock();
    const transport = new SimTransport({ ...this.#deps, process: this });
    const client = new KubeClient({ fieldManager: 'kvorum-operator' }, { transport, clock });
    const operator = new Operator(
      { namespace: 'kvorum-system', identity: this.identity, watchNamespaces: undefined, workers: 2 },
      {
        ...{ client, clock, random: randomOf(prng), log: this.#log(), metrics: NO_METRICS },
        store: new SimStoreView({ ...this.#deps, process: this }),
      },
    );
    operator.run(new AbortController().signal).then(
      (end) => this.die(end),
      (error: unknown) => {
        if (!isExpected(error)) onBug(error);
        this.die('it could not begin');
      },
    );
  }

  pause(durationMs: number): void {
    if (this.#isPaused || !this.isAlive) return;
    this.#isPaused = true;
    this.#deps.after(durationMs, () => this.#goOn());
  }

  /** One at a time, each with all that follows from it at once. */
  #goOn(): void {
    const held = [...this.#answers, ...this.#timers];
    this.#isPaused = false;
    [this.#answers, this.#timers] = [[], []];
    for (const [index, each] of held.entries()) this.#deps.after(index, () => this.isAlive && each());
  }

  /** It hears of something: an answer, or that time has passed. */
  deliver(what: () => void, kind: 'answer' | 'timer' = 'answer'): void {
    if (!this.isAlive) return;
    if (!this.#isPaused) what();
    else if (kind === 'answer') this.#answers.push(what);
    else this.#timers.push(what);
  }

  die(why: string): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#deps.onEnd(this, why);
  }

  #clock(): Clock {
    const { clock } = this.#deps;
    const guarded = (callback: () => void) => (): void => this.deliver(callback, 'timer');
    return {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, guarded(callback)),
    };
  }

  /** What the operator tells of as a failure is one of the faults, or a bug. */
  #log(): KubeLog {
    const look = ({ err }: { readonly err?: unknown }): void => {
      if (err !== undefined && !isExpected(err)) this.#deps.onBug(err);
    };
    const quiet = (): void => undefined;
    return { debug: quiet, info: quiet, warn: look, error: look } as KubeLog;
  }
}

/** With this the work of a leader ends that is none any more (lease-elector.ts). */
const LOST = 'the lease was lost';

function isExpected(error: unknown): boolean {
  if (error instanceof Error && (error.message === LOST || error.name === 'AbortError')) return true;
  return error instanceof KubeError || error instanceof StoreRefusal || error instanceof NoAnswer;
}

const nothing = (): void => undefined;
const NO_METRICS = {
  observeReconcile: nothing,
  queueObserver: {},
  observeRequest: nothing,
  setLeader: nothing,
  watch: nothing,
} as unknown as OperatorMetrics;
