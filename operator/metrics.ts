import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestObserver } from './kube/kube-request.ts';
import type { QueueObserver } from './kube/work-queue.ts';
import type { WorkOutcome } from './kube/worker-pool.ts';

/** What the operator counts of itself. */
export type OperatorMetrics = {
  readonly registry: Registry;
  /** The end of one reconcile. */
  readonly observeReconcile: (outcome: WorkOutcome, seconds: number) => void;
  readonly queueObserver: QueueObserver;
  /** A call to the API server; code 0 where there was no answer. */
  readonly observeRequest: RequestObserver;
  setLeader(isLeading: boolean): void;
  /** Asks for these at each scrape. */
  watch(read: () => OperatorGauges): void;
};

export type OperatorGauges = {
  readonly queueDepth: number;
  readonly delayedKeys: number;
  readonly longestWorkSeconds: number;
  readonly activeWorkers: number;
};

const OUTCOMES: readonly WorkOutcome[] = ['success', 'requeue_after', 'error', 'conflict', 'terminal_error'];
/** Failures that say that something is wrong; a conflict is part of the plan. */
const ERRORS: readonly WorkOutcome[] = ['error', 'terminal_error'];

const WORK_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const WAIT_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

export function createOperatorMetrics(): OperatorMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'kvorum_operator_' });
  return {
    registry,
    observeReconcile: reconcileMetrics(registry),
    queueObserver: queueMetrics(registry),
    observeRequest: requestMetrics(registry),
    setLeader: leaderMetric(registry),
    watch: gauges(registry),
  };
}

function reconcileMetrics(registry: Registry): OperatorMetrics['observeReconcile'] {
  const registers = [registry];
  const total = new Counter({
    name: 'kvorum_operator_reconciles_total',
    help: 'Reconciles that ended, by what they ended with',
    labelNames: ['result'],
    registers,
  });
  const errors = new Counter({
    name: 'kvorum_operator_reconcile_errors_total',
    help: 'Reconciles that failed; conflicts are not among them',
    registers,
  });
  const duration = new Histogram({
    name: 'kvorum_operator_reconcile_duration_seconds',
    help: 'Time of one reconcile',
    buckets: WORK_SECONDS,
    registers,
  });
  // A series that is not there cannot be seen to grow.
  for (const result of OUTCOMES) total.inc({ result }, 0);
  return (result, seconds) => {
    total.inc({ result });
    if (ERRORS.includes(result)) errors.inc();
    duration.observe(seconds);
  };
}

function queueMetrics(registry: Registry): QueueObserver {
  const registers = [registry];
  const added = new Counter({
    name: 'kvorum_operator_queue_adds_total',
    help: 'Keys that were added to the work queue; one that waits already is not added again',
    registers,
  });
  const retries = new Counter({
    name: 'kvorum_operator_queue_retries_total',
    help: 'Keys that were added again after a failure',
    registers,
  });
  const latency = new Histogram({
    name: 'kvorum_operator_queue_latency_seconds',
    help: 'Time that a key waited for a worker',
    buckets: WAIT_SECONDS,
    registers,
  });
  return {
    onAdded: () => added.inc(),
    onRetried: () => retries.inc(),
    onTaken: (seconds) => latency.observe(seconds),
  };
}

function requestMetrics(registry: Registry): RequestObserver {
  const registers = [registry];
  const total = new Counter({
    name: 'kvorum_operator_api_requests_total',
    help: 'Calls to the API server by verb and status code; code 0 is no answer',
    labelNames: ['verb', 'code'],
    registers,
  });
  const duration = new Histogram({
    name: 'kvorum_operator_api_request_duration_seconds',
    help: 'Time to the beginning of an answer of the API server',
    labelNames: ['verb'],
    buckets: WORK_SECONDS,
    registers,
  });
  return ({ verb, status, seconds }) => {
    total.inc({ verb, code: status });
    duration.observe({ verb }, seconds);
  };
}

function leaderMetric(registry: Registry): OperatorMetrics['setLeader'] {
  const leader = new Gauge({
    name: 'kvorum_operator_is_leader',
    help: '1 while this one acts, 0 while it waits for the lease',
    registers: [registry],
  });
  return (isLeading) => leader.set(isLeading ? 1 : 0);
}

function gauges(registry: Registry): OperatorMetrics['watch'] {
  let read = (): OperatorGauges => ({
    queueDepth: 0,
    delayedKeys: 0,
    longestWorkSeconds: 0,
    activeWorkers: 0,
  });
  const gauge = (name: string, help: string, field: keyof OperatorGauges): void => {
    const collect = function (this: Gauge): void {
      this.set(read()[field]);
    };
    new Gauge({ name, help, registers: [registry], collect });
  };
  gauge('kvorum_operator_queue_depth', 'Keys that wait for a worker', 'queueDepth');
  gauge('kvorum_operator_queue_delayed', 'Keys that wait for their time', 'delayedKeys');
  gauge(
    'kvorum_operator_longest_reconcile_seconds',
    'How long the longest reconcile under way has taken',
    'longestWorkSeconds',
  );
  gauge('kvorum_operator_active_workers', 'Reconciles under way', 'activeWorkers');
  return (next) => {
    read = next;
  };
}
