import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOperatorMetrics } from './metrics.ts';

const scrape = async ({ registry }: ReturnType<typeof createOperatorMetrics>): Promise<string[]> =>
  (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('reconciles are counted by what they end with; a conflict is no error', async () => {
  const metrics = createOperatorMetrics();
  for (const outcome of ['success', 'error', 'conflict', 'terminal_error'] as const)
    metrics.observeReconcile(outcome, 0.2);
  const series = await scrape(metrics);
  for (const line of [
    'kvorum_operator_reconciles_total{result="success"} 1',
    'kvorum_operator_reconciles_total{result="requeue_after"} 0',
    'kvorum_operator_reconciles_total{result="conflict"} 1',
    'kvorum_operator_reconcile_errors_total 2',
    'kvorum_operator_reconcile_duration_seconds_count 4',
    'kvorum_operator_reconcile_duration_seconds_bucket{le="0.1"} 0',
    'kvorum_operator_reconcile_duration_seconds_bucket{le="0.25"} 4',
  ])
    assert.ok(series.includes(line), `${line} of\n${series.join('\n')}`);
});

test('the queue, the lease and calls to the API server are shown', async () => {
  const metrics = createOperatorMetrics();
  metrics.watch(() => ({ queueDepth: 3, delayedKeys: 4, longestWorkSeconds: 1.5, activeWorkers: 2 }));
  metrics.queueObserver.onAdded?.();
  metrics.queueObserver.onRetried?.();
  metrics.queueObserver.onTaken?.(0.02);
  metrics.setLeader(true);
  metrics.observeRequest({ verb: 'apply', resource: 'pods', status: 409, seconds: 0.01 });
  metrics.observeRequest({ verb: 'get', resource: 'pods', status: 0, seconds: 30 });
  const series = await scrape(metrics);
  for (const line of [
    'kvorum_operator_queue_depth 3',
    'kvorum_operator_queue_delayed 4',
    'kvorum_operator_longest_reconcile_seconds 1.5',
    'kvorum_operator_active_workers 2',
    'kvorum_operator_queue_adds_total 1',
    'kvorum_operator_queue_retries_total 1',
    'kvorum_operator_queue_latency_seconds_count 1',
    'kvorum_operator_is_leader 1',
    'kvorum_operator_api_requests_total{verb="apply",code="409"} 1',
    'kvorum_operator_api_requests_total{verb="get",code="0"} 1',
  ])
    assert.ok(series.includes(line), `${line} of\n${series.join('\n')}`);
  metrics.setLeader(false);
  assert.ok((await scrape(metrics)).includes('kvorum_operator_is_leader 0'));
});
