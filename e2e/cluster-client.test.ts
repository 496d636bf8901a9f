import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvorumClient, type Topology } from '@kvorum/client';
import { ClusterError } from '../store/cluster/cluster-admin.ts';
import { startTestServer, type TestServer } from '../store/io/http/test-server.ts';

type Bench = AsyncDisposable & { readonly server: TestServer; readonly client: KvorumClient };

/** The client against the HTTP interface of a cluster in memory. */
async function start(): Promise<Bench> {
  const server = await startTestServer({ retryAfterSeconds: 0 });
  const client = new KvorumClient({ url: server.url, timeoutMs: 2000, retry: { baseMs: 1 } });
  const dispose = async (): Promise<void> => {
    await client.close();
    await server[Symbol.asyncDispose]();
  };
  return { server, client, [Symbol.asyncDispose]: dispose };
}

test('cluster, members and topology come back as the node tells them', async () => {
  await using bench = await start();
  bench.server.cluster.addMember('node-2');
  const status = await bench.client.cluster();
  assert.deepEqual([status.quorum.state, status.leader?.name, status.epoch], ['ok', 'node-1', 2]);
  const { epoch, members } = await bench.client.members();
  assert.deepEqual(
    [epoch, members.map(({ name, isLeader }) => [name, isLeader])],
    [
      2,
      [
        ['node-1', true],
        ['node-2', false],
      ],
    ],
  );
  const topology = await bench.client.topology();
  assert.deepEqual(
    [topology.epoch, topology.members[1]?.name, topology.settings.partitions],
    [2, 'node-2', 4],
  );
});

test('bootstrap, weights, removal and transfer change the cluster', async () => {
  await using bench = await start();
  const { client, server } = bench;
  server.cluster.state = undefined;
  const clusterId = 'd'.repeat(32);
  assert.deepEqual(await client.bootstrap({ clusterId, replicationFactor: 1 }), { clusterId, created: true });
  assert.deepEqual(await client.bootstrap({ clusterId }), { clusterId, created: false });
  await assert.rejects(client.bootstrap(), { code: 'ALREADY_BOOTSTRAPPED', status: 409 });
  server.cluster.addMember('node-2');
  assert.deepEqual(await client.updateMember('node-2', { weight: 7 }), { epoch: 3, member: 2 });
  assert.deepEqual(await client.transferLeadership({ to: 'node-2' }), { leader: 'node-2' });
  assert.deepEqual(await client.transferLeadership(), { leader: 'node-1' });
  assert.deepEqual(await client.removeMember('node-2'), { epoch: 4, member: 2 });
  await assert.rejects(client.removeMember('node-2'), { code: 'MEMBER_NOT_FOUND', retryable: false });
  await assert.rejects(client.removeMember('No Name'), { code: 'BAD_MEMBER_NAME', status: 400 });
  await assert.rejects(client.removeMember(''), RangeError);
});

test('drains, operations and whether a node can be stopped', async () => {
  await using bench = await start();
  const { client, server } = bench;
  for (const name of ['node-2', 'node-3', 'node-4']) server.cluster.addMember(name);
  server.cluster.placePartitions([1, 2, 3]);
  assert.deepEqual(await client.canStop('node-2'), { canStop: true, reasons: [], partitions: [] });
  assert.deepEqual(await client.drainMember('node-2'), { epoch: 6, member: 2 });
  const { epoch, operations } = await client.operations({ consistency: 'local' });
  assert.deepEqual([epoch, operations.map(({ id }) => id)], [6, ['drain-node-2']]);
  await assert.rejects(client.drainMember('node-3'), { code: 'TOO_FEW_MEMBERS', retryable: false });
  assert.deepEqual(await client.cancelDrain('node-2'), { epoch: 7, member: 2 });
  await assert.rejects(client.canStop('node-9'), { code: 'MEMBER_NOT_FOUND' });
  await assert.rejects(client.canStop(''), RangeError);
});

test('what was certainly not executed is tried again', async () => {
  await using bench = await start();
  const { client, server } = bench;
  let left = 2;
  Object.defineProperty(server.cluster, 'failure', {
    get: () => (left-- > 0 ? new ClusterError('NO_LEADER', 'an election is on') : undefined),
  });
  assert.equal((await client.updateMember('node-1', { weight: 9 })).epoch, 2);
  assert.ok(left < 0);
});

test('an unknown outcome is told to the caller, who may repeat the call', async () => {
  await using bench = await start();
  bench.server.cluster.failure = new ClusterError('OUTCOME_UNKNOWN', 'the leader went away');
  await assert.rejects(bench.client.removeMember('node-2'), { code: 'OUTCOME_UNKNOWN', retryable: true });
  const counted = await bench.server.metrics.registry.getSingleMetric('kvorum_http_requests_total')?.get();
  assert.equal(counted?.values[0]?.value, 1, 'it was sent once');
});

test('topology waits for a later epoch, beyond the time of other calls', async () => {
  await using bench = await start();
  const { client, server } = bench;
  assert.equal(await client.topology({ after: 1, waitMs: 30 }), undefined);
  await using hasty = new KvorumClient({ url: server.url, timeoutMs: 200, retry: { attemptsMax: 1 } });
  const waiting = hasty.topology({ after: 1, waitMs: 5000 });
  setTimeout(() => server.cluster.addMember('node-2'), 400);
  assert.equal((await waiting)?.epoch, 2);
});

test('watchTopology tells of each change, and ends with its signal', async () => {
  await using bench = await start();
  const { client, server } = bench;
  const stop = new AbortController();
  const seen: number[] = [];
  const watch = async (): Promise<void> => {
    for await (const { epoch } of client.watchTopology({ signal: stop.signal })) {
      seen.push(epoch);
      if (epoch < 4) server.cluster.addMember(`node-${epoch + 1}`);
      else stop.abort(new Error('enough'));
    }
  };
  await assert.rejects(watch(), /enough/);
  assert.deepEqual(seen, [1, 2, 3, 4]);
});

test('watchTopology goes on without a leader, and behind an epoch that is known', async () => {
  await using bench = await start();
  bench.server.cluster.failure = new ClusterError('NO_LEADER', 'gone');
  bench.server.cluster.addMember('node-2');
  const watch = bench.client.watchTopology({ after: 1 });
  const { value } = await watch.next();
  assert.equal((value as Topology).epoch, 2);
  bench.server.cluster.addMember('node-3');
  assert.equal(((await watch.next()).value as Topology).epoch, 3);
});
