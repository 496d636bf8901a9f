import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClusterSnapshot, PEERS_SHOWN_MAX } from './cluster-metrics.ts';
import { createMetrics, type Metrics } from './metrics.ts';

const SNAPSHOT: ClusterSnapshot = {
  raft: {
    ...{ term: 7, isLeader: false, hasLeader: true, commitIndex: 90, appliedIndex: 88 },
    ...{ logEntries: 40, snapshotBytes: 1234 },
  },
  quorum: 'degraded',
  epoch: 17,
  members: { alive: 4, dead: 1 },
  gossip: { probes: 100, failedProbes: 3, suspicions: 2, refutations: 1 },
  peers: {
    ...{ sentBytes: 10, receivedBytes: 20, droppedMessages: 5, queuedBytes: 6 },
    links: [
      { name: 'node-2', roundTripSeconds: 0.002 },
      { name: 'node-3', roundTripSeconds: undefined },
    ],
    refusedHandshakes: { WRONG_CLUSTER: 2 },
  },
};

/** The series of a cluster as a scrape shows them, without help and types. */
async function scrape({ registry }: Metrics): Promise<string[]> {
  const text = await registry.metrics();
  return text.split('\n').filter((line) => /^kvorum_(raft|cluster|topology|members|gossip|peer)/.test(line));
}

test('without a cluster there is no series of one', async () => {
  const metrics = createMetrics();
  assert.deepEqual(await scrape(metrics), []);
  metrics.watchCluster(() => undefined);
  assert.deepEqual(await scrape(metrics), []);
});

test('a scrape shows the cluster as it is then', async () => {
  const metrics = createMetrics();
  let snapshot = SNAPSHOT;
  metrics.watchCluster(() => snapshot);
  assert.deepEqual(await scrape(metrics), [
    'kvorum_raft_term 7',
    'kvorum_raft_is_leader 0',
    'kvorum_raft_has_leader 1',
    'kvorum_raft_commit_index 90',
    'kvorum_raft_applied_index 88',
    'kvorum_raft_log_entries 40',
    'kvorum_raft_snapshot_bytes 1234',
    'kvorum_cluster_quorum{state="ok"} 0',
    'kvorum_cluster_quorum{state="degraded"} 1',
    'kvorum_cluster_quorum{state="lost"} 0',
    'kvorum_cluster_quorum{state="none"} 0',
    'kvorum_topology_epoch 17',
    'kvorum_members{liveness="alive"} 4',
    'kvorum_members{liveness="suspect"} 0',
    'kvorum_members{liveness="dead"} 1',
    'kvorum_members{liveness="left"} 0',
    'kvorum_gossip_probes_total 100',
    'kvorum_gossip_failed_probes_total 3',
    'kvorum_gossip_suspicions_total 2',
    'kvorum_gossip_refutations_total 1',
    'kvorum_peer_link_bytes_total{direction="sent"} 10',
    'kvorum_peer_link_bytes_total{direction="received"} 20',
    'kvorum_peer_queue_bytes 6',
    'kvorum_peer_dropped_messages_total 5',
    'kvorum_peer_round_trip_seconds{peer="node-2"} 0.002',
    'kvorum_peer_refused_handshakes_total{code="WRONG_CLUSTER"} 2',
  ]);
  snapshot = { ...SNAPSHOT, epoch: 18 };
  assert.ok((await scrape(metrics)).includes('kvorum_topology_epoch 18'));
});

test('proposals are counted by outcome and timed together', async () => {
  const metrics = createMetrics();
  metrics.observeProposal('done', 0.004);
  metrics.observeProposal('done', 0.3);
  metrics.observeProposal('unknown', 20);
  const series = await scrape(metrics);
  assert.ok(series.includes('kvorum_raft_proposals_total{outcome="done"} 2'));
  assert.ok(series.includes('kvorum_raft_proposals_total{outcome="unknown"} 1'));
  const name = 'kvorum_raft_proposal_duration_seconds';
  for (const line of ['_bucket{le="0.005"} 1', '_bucket{le="0.5"} 2', '_bucket{le="+Inf"} 3', '_count 3'])
    assert.ok(series.includes(name + line), `${line} of\n${series.join('\n')}`);
});

test('the series of peers are bounded, and stay the same ones', async () => {
  const metrics = createMetrics();
  const links = Array.from({ length: 1000 }, (_, at) => ({
    ...{ name: `node-${String(999 - at).padStart(3, '0')}`, roundTripSeconds: 1 },
  }));
  metrics.watchCluster(() => ({ ...SNAPSHOT, peers: { ...SNAPSHOT.peers, links } }));
  const shown = (await scrape(metrics)).filter((line) => line.startsWith('kvorum_peer_round_trip'));
  assert.equal(shown.length, PEERS_SHOWN_MAX);
  assert.equal(shown[0], 'kvorum_peer_round_trip_seconds{peer="node-000"} 1');
});
