import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCounters } from '../replication/links/counters.ts';
import { createMetrics, type Metrics } from './metrics.ts';

const LINES = /^(kvorum_replica_(?:request|frames|replies)\S+) (\d+)$/gm;

async function linesOf({ registry }: Metrics): Promise<ReadonlyMap<string, number>> {
  const text = await registry.metrics();
  return new Map(Array.from(text.matchAll(LINES), ([, name = '', value]) => [name, Number(value)]));
}

test('what goes between replicas is counted in /metrics, and nothing is said while this node serves no data', async () => {
  const metrics = createMetrics();
  assert.equal((await linesOf(metrics)).size, 0);
  const links = createCounters();
  metrics.watchData(() => ({
    replica: { state: 'ok', reason: undefined },
    hints: { bytes: 0, count: 0, owners: [] },
    exchange: { lastRoundMs: undefined, partitions: 0, partitionsEqual: 0, keysRepaired: 0, bytesSent: 0 },
    trees: { ready: 0, building: 0 },
    links,
  }));
  Object.assign(links, { requestsSent: 9, requestsServed: 8, framesSent: 7, repliesIgnored: 6 });
  Object.assign(links, { timeouts: 5, unreachable: 4, overloaded: 3 });
  assert.deepEqual(Object.fromEntries(await linesOf(metrics)), {
    kvorum_replica_requests_sent_total: 9,
    kvorum_replica_requests_served_total: 8,
    kvorum_replica_frames_sent_total: 7,
    kvorum_replica_replies_ignored_total: 6,
    'kvorum_replica_request_failures_total{reason="timeout"}': 5,
    'kvorum_replica_request_failures_total{reason="unreachable"}': 4,
    'kvorum_replica_request_failures_total{reason="overloaded"}': 3,
  });
});
