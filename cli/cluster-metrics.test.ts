import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { freePort, ServerProcess } from '../e2e/lib/server-process.ts';

const directory = mkdtempSync(`${tmpdir()}/kvorum-cluster-metrics-`);
after(() => rmSync(directory, { recursive: true, force: true }));

/** What docs/metrics.md says there is of a cluster. */
const DOCUMENTED = readFileSync(new URL('../docs/metrics.md', import.meta.url), 'utf8').matchAll(
  /^\| `(kvorum_(?:raft|cluster|topology|members|gossip|peer)\w*)`/gm,
);

/** A node that is alone has no links. */
const WITH_PEERS_ONLY = ['kvorum_peer_round_trip_seconds', 'kvorum_peer_refused_handshakes_total'];

type Series = ReadonlyMap<string, number>;

async function scrape(url: string): Promise<Series> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))] as const),
  );
}

test('a node that is alone shows every documented series of its cluster, with the values of a healthy one', async () => {
  const port = await freePort();
  const settings = { 'node.name': 'alone', 'storage.engine': 'memory', 'storage.reserveBytes': 0 };
  const server = await ServerProcess.start({ directory, port, settings });
  const put = await fetch(`${server.url}/v1/namespaces/counted`, { method: 'PUT' });
  assert.ok(put.ok, await put.text());

  const series = await scrape(server.url);
  const names = new Set(Array.from(series.keys(), (key) => key.replace(/\{.*|_(bucket|sum|count)$/g, '')));
  const documented = Array.from(DOCUMENTED, ([, name]) => name as string);
  assert.ok(documented.length > 15, 'the table of docs/metrics.md was not found');
  assert.deepEqual(
    documented.filter((name) => !names.has(name)).toSorted(),
    WITH_PEERS_ONLY.toSorted(),
    'documented, and not shown',
  );

  const value = (key: string): number => series.get(key) ?? Number.NaN;
  assert.ok(value('kvorum_raft_term') > 0);
  assert.equal(value('kvorum_raft_is_leader'), 1);
  assert.equal(value('kvorum_raft_has_leader'), 1);
  // The snapshot that a cluster begins with, the leader's first entry, its start and the namespace.
  assert.ok(value('kvorum_raft_commit_index') >= 3);
  assert.equal(value('kvorum_raft_applied_index'), value('kvorum_raft_commit_index'));
  assert.equal(value('kvorum_raft_log_entries'), value('kvorum_raft_commit_index') - 1);
  assert.ok(value('kvorum_raft_snapshot_bytes') > 100);
  assert.equal(value('kvorum_cluster_quorum{state="ok"}'), 1);
  assert.equal(value('kvorum_cluster_quorum{state="lost"}'), 0);
  assert.ok(value('kvorum_topology_epoch') >= 2, 'the namespace is a change');
  assert.equal(value('kvorum_members{liveness="alive"}'), 1);
  assert.equal(value('kvorum_members{liveness="dead"}'), 0);
  assert.equal(value('kvorum_gossip_probes_total'), 0);
  assert.equal(value('kvorum_peer_link_bytes_total{direction="sent"}'), 0);
  assert.equal(value('kvorum_peer_queue_bytes'), 0);
  assert.equal(value('kvorum_peer_dropped_messages_total'), 0);
  const done = value('kvorum_raft_proposals_total{outcome="done"}');
  assert.ok(done >= 1);

  await fetch(`${server.url}/v1/namespaces/another`, { method: 'PUT' });
  const next = await scrape(server.url);
  assert.equal(next.get('kvorum_raft_proposals_total{outcome="done"}'), done + 1);
  assert.equal(next.get('kvorum_raft_proposal_duration_seconds_count'), done + 1);
  assert.equal(next.get('kvorum_topology_epoch'), value('kvorum_topology_epoch') + 1);
  assert.equal(await server.stop(), 0);
});
