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

/** Four members, and four partitions on the first three. */
async function placed() {
  const bench = await start();
  for (const name of ['node-2', 'node-3', 'node-4']) bench.server.cluster.addMember(name);
  bench.server.cluster.placePartitions([1, 2, 3]);
  return bench;
}

test('operations are begun, listed and cancelled; a drain is cancelled by its member too', async () => {
  await using bench = await placed();
  const { client, server } = bench;
  const drain = await client.drainMember('node-2', { by: 'ann' });
  assert.deepEqual(drain, { epoch: 6, operation: 'drain-6' });
  const { epoch, operations } = await client.operations({ consistency: 'local', state: 'running' });
  assert.deepEqual([epoch, operations.map(({ id, by }) => [id, by])], [6, [['drain-6', 'ann']]]);
  assert.equal((await client.operation('drain-6')).member, 'node-2');
  await assert.rejects(client.drainMember('node-3'), { code: 'TOO_FEW_MEMBERS', retryable: false });
  assert.deepEqual(await client.cancelDrain('node-2'), { epoch: 7, operation: 'drain-6' });
  for (const none of ['node-2', 'node-9'])
    assert.deepEqual(await client.cancelDrain(none), { epoch: 7, operation: undefined });
  assert.deepEqual(await client.cancelOperation('drain-6'), { epoch: 7, operation: 'drain-6' });
  assert.deepEqual((await client.operations({ state: 'running' })).operations, []);

  await assert.rejects(client.replaceMember('node-2'), { code: 'MEMBER_ALIVE', status: 409 });
  assert.equal((await client.replaceMember('node-2', { force: true })).operation, 'replace-8');
  assert.equal((await client.rebalance()).operation, 'rebalance-9');
  assert.equal((await client.changeReplicationFactor(3)).operation, undefined);
  assert.equal((await client.changeReplicationFactor(2)).operation, 'factor-10');
  await assert.rejects(client.changeReplicationFactor(9), { code: 'TOO_FEW_MEMBERS' });
  await assert.rejects(client.operation('drain-9'), { code: 'OPERATION_NOT_FOUND' });
  await assert.rejects(client.operation(''), RangeError);
  await assert.rejects(client.cancelDrain(''), RangeError);
  assert.deepEqual(await client.updateMember('node-2', { zone: 'b' }), { epoch: 11, member: 2 });
  assert.equal(server.cluster.state?.members.get(2)?.zone, 'b');
});

test('watchOperation tells of each change until the operation has ended, and throws where it cannot go on', async () => {
  await using bench = await placed();
  const { client, server } = bench;
  const { operation = '' } = await client.drainMember('node-2');
  const seen: string[] = [];
  for await (const { state, partitionsLeft } of client.watchOperation(operation)) {
    seen.push(`${state} ${partitionsLeft}`);
    if (partitionsLeft > 0) server.cluster.placePartitions([1, 3, 4]);
    else server.cluster.endOperations();
  }
  assert.deepEqual(seen, ['running 4', 'running 0', 'done 0']);
  await assert.rejects(client.watchOperation('drain-99').next(), { code: 'OPERATION_NOT_FOUND' });

  const { operation: next = '' } = await client.rebalance();
  const broken = client.watchOperation(next);
  await broken.next();
  server.cluster.state = undefined;
  await assert.rejects(broken.next(), { code: 'CLUSTER_WAITING' });
});

test('canStop takes a lease unless it only looks; stopNode is for the node itself', async () => {
  await using bench = await placed();
  const { client, server } = bench;
  const yes = { canStop: true, reasons: [], partitions: [] };
  assert.deepEqual(await client.canStop('node-2', { look: true }), yes);
  assert.deepEqual(await client.canStop('node-2'), { ...yes, until: '2026-01-01T00:01:00.000Z' });
  assert.equal((await client.canStop('node-3')).canStop, false);
  await assert.rejects(client.canStop('node-9'), { code: 'MEMBER_NOT_FOUND' });
  await assert.rejects(client.canStop(''), RangeError);
  await assert.rejects(client.stopNode('node-2'), { code: 'WRONG_NODE', status: 421 });
  assert.deepEqual([await client.stopNode('node-1'), server.stops()], [{ node: 'node-1' }, 1]);
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
