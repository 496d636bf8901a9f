import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterError, type ClusterErrorCode } from '../../cluster/cluster-admin.ts';
import { toEpoch } from '../../core/topology/types.ts';
import { errorEntry } from './error-table.ts';
import { answerSchemas } from './schemas.ts';
import { startTestServer, type TestServer } from './test-server.ts';

type Json = Record<string, unknown>;

async function call(
  server: TestServer,
  method: string,
  path: string,
  body?: unknown,
): Promise<[number, Json]> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(server.url + path, init);
  return [response.status, (await response.json()) as Json];
}

test('GET /v1/cluster tells what this node knows, without a cluster and without a quorum too', async () => {
  await using server = await startTestServer();
  const [status, json] = await call(server, 'GET', '/v1/cluster?probes=ignore-queries');
  assert.equal(status, 200);
  answerSchemas.ClusterStatus.strict().parse(json);
  assert.deepEqual(json.leader, { member: 1, name: 'node-1' });

  server.cluster.failure = new ClusterError('NO_LEADER', 'gone');
  server.cluster.addMember('node-2');
  server.cluster.liveness.set(2, 'dead');
  const [, lost] = await call(server, 'GET', '/v1/cluster');
  const { state, missing } = lost.quorum as Json;
  assert.deepEqual([state, missing, lost.leader], ['lost', ['node-2'], undefined]);

  server.cluster.state = undefined;
  const [, waiting] = await call(server, 'GET', '/v1/cluster');
  answerSchemas.ClusterStatus.parse(waiting);
  assert.deepEqual([(waiting.node as Json).state, waiting.epoch], ['waiting', 0]);
});

test('GET /v1/members and /v1/topology are of one epoch and look as their schemas say', async () => {
  await using server = await startTestServer();
  server.cluster.addMember('node-2');
  server.cluster.placePartitions();
  const [, members] = await call(server, 'GET', '/v1/members');
  const list = answerSchemas.MemberList.strict().parse(members);
  assert.deepEqual([list.epoch, list.members.map(({ name }) => name)], [3, ['node-1', 'node-2']]);
  const [, topology] = await call(server, 'GET', '/v1/topology');
  const view = answerSchemas.Topology.strict().parse(topology);
  assert.deepEqual([view.epoch, view.partitions.length], [3, 4]);
  assert.deepEqual(view.namespaces[0], {
    ...{ name: 'default', id: 1, consistency: 'quorum', createdAt: '1970-01-01T00:00:00.000Z' },
  });
});

test('GET /v1/members waits until this node has come as far as what the leader read', async () => {
  await using server = await startTestServer({ topologyWaitMsDefault: 100 });
  const ahead = { ...(await server.cluster.readTopology('local')), epoch: toEpoch(2) };
  server.cluster.readTopology = async () => ahead;
  const [status, problem] = await call(server, 'GET', '/v1/members');
  assert.deepEqual(
    [status, problem.code, problem.detail],
    [503, 'NO_LEADER', 'This node has applied epoch 1 of 2.'],
  );
  const asked = call(server, 'GET', '/v1/members');
  while (server.cluster.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
  server.cluster.addMember('node-2');
  assert.equal((await asked)[1].epoch, 2);
});

test('GET /v1/status tells the cluster in short', async () => {
  await using server = await startTestServer();
  const [, json] = await call(server, 'GET', '/v1/status');
  answerSchemas.NodeStatus.strict().parse(json);
  assert.deepEqual(json.cluster, { state: 'member', clusterId: '0'.repeat(32), epoch: 1, leader: 'node-1' });
});

test('GET /v1/config tells the settings in effect', async () => {
  await using server = await startTestServer();
  const [, json] = await call(server, 'GET', '/v1/config');
  answerSchemas.NodeConfig.strict().parse(json);
  assert.deepEqual(json.restartNeeded, ['node.zone']);
  const [, zone] = json.settings as readonly unknown[];
  assert.deepEqual(zone, {
    ...{ name: 'node.zone', value: '', origin: 'default', isLive: false },
    afterRestart: 'a',
  });
});

test('the epoch is the entity tag of the topology', async () => {
  await using server = await startTestServer();
  const first = await fetch(`${server.url}/v1/topology`);
  await first.arrayBuffer();
  assert.equal(first.headers.get('etag'), '"1"');
  const ask = (tag: string): Promise<Response> =>
    fetch(`${server.url}/v1/topology`, { headers: { 'if-none-match': tag } });
  for (const tag of ['"1"', 'W/"1"', '"7", "1"', '*']) assert.equal((await ask(tag)).status, 304, tag);
  server.cluster.addMember('node-2');
  const changed = await ask('"1"');
  assert.deepEqual([changed.status, changed.headers.get('etag')], [200, '"2"']);
});

test('without a leader local reads answer, linearizable ones are refused', async () => {
  await using server = await startTestServer();
  server.cluster.failure = new ClusterError('NO_LEADER', 'There is no leader since 3 s.');
  for (const path of ['/v1/members', '/v1/topology', '/v1/topology?consistency=linearizable&after=0']) {
    const [status, problem] = await call(server, 'GET', path);
    assert.deepEqual([status, problem.code, problem.retryable], [503, 'NO_LEADER', true], path);
  }
  assert.equal((await call(server, 'GET', '/v1/members?consistency=local'))[0], 200);
  assert.equal((await call(server, 'GET', '/v1/topology?consistency=local'))[0], 200);
});

test('bootstrap makes a cluster once: the same id again is a success, another one is refused', async () => {
  await using server = await startTestServer();
  server.cluster.state = undefined;
  const path = '/v1/cluster:bootstrap';
  const request = { clusterId: 'a'.repeat(32), replicationFactor: 1, partitions: 16 };
  const { clusterId } = request;
  assert.deepEqual(await call(server, 'POST', path, request), [201, { clusterId, created: true }]);
  assert.deepEqual(await call(server, 'POST', path, request), [200, { clusterId, created: false }]);
  const [, { settings }] = await call(server, 'GET', '/v1/topology');
  assert.deepEqual(settings, { partitions: 16, replicationFactor: 1 });
  const [status, problem] = await call(server, 'POST', path, { clusterId: 'b'.repeat(32) });
  assert.deepEqual([status, problem.code], [409, 'ALREADY_BOOTSTRAPPED']);
  assert.equal((await call(server, 'POST', path))[0], 409, 'no body draws an id');
});

test('members are given a weight and removed, each with the epoch of the change', async () => {
  await using server = await startTestServer();
  server.cluster.addMember('node-2');
  const patch = (): Promise<[number, Json]> => call(server, 'PATCH', '/v1/members/node-2', { weight: 300 });
  assert.deepEqual(await patch(), [200, { epoch: 3, member: 2 }]);
  assert.deepEqual(await patch(), [200, { epoch: 3, member: 2 }], 'what holds raises no epoch');
  assert.equal(server.cluster.state?.members.get(2)?.weight, 300);
  const remove = (name: string): Promise<[number, Json]> =>
    call(server, 'POST', `/v1/members/${name}:remove`);
  assert.deepEqual(await remove('node%2D2'), [200, { epoch: 4, member: 2 }]);
  assert.equal((await remove('node-2'))[1].code, 'MEMBER_NOT_FOUND');
  assert.equal((await remove('node-1'))[1].code, 'LAST_MEMBER');
  server.cluster.addMember('node-3');
  server.cluster.placePartitions();
  assert.equal((await remove('node-3'))[1].code, 'MEMBER_OWNS_DATA');
  assert.equal(server.cluster.state?.members.size, 2, 'refusals change nothing');
});

test('the leadership is handed to the named voter, or to the one that is chosen', async () => {
  await using server = await startTestServer();
  const path = '/v1/cluster:transfer-leadership';
  assert.equal((await call(server, 'POST', path))[1].code, 'TRANSFER_REFUSED');
  server.cluster.addMember('node-2');
  assert.deepEqual(await call(server, 'POST', path), [200, { leader: 'node-2' }]);
  assert.deepEqual(await call(server, 'POST', path, { to: 'node-1' }), [200, { leader: 'node-1' }]);
  assert.equal((await call(server, 'POST', path, { to: 'node-9' }))[1].code, 'MEMBER_NOT_FOUND');
});

const CODES: readonly ClusterErrorCode[] = [
  ...(['NAME_TAKEN', 'MEMBER_LIMIT', 'MEMBER_NOT_FOUND', 'MEMBER_STALE', 'MEMBER_OWNS_DATA'] as const),
  ...(['LAST_MEMBER', 'EPOCH_CHANGED', 'ALREADY_PLACED', 'BAD_PLACEMENT', 'CLUSTER_WAITING'] as const),
  ...(['ALREADY_BOOTSTRAPPED', 'NO_LEADER', 'OUTCOME_UNKNOWN', 'TRANSFER_REFUSED'] as const),
  ...(['MEMBER_EXCLUDED', 'CLUSTER_FORMING', 'NAMESPACE_LIMIT'] as const),
];

for (const code of CODES) {
  test(`${code} of the cluster is answered with its status and what it says, also to a read of a key`, async () => {
    await using server = await startTestServer();
    server.cluster.failure = new ClusterError(code, 'why it is so');
    server.store.failure = server.cluster.failure;
    const answers = [
      await call(server, 'POST', '/v1/members/node-2:remove'),
      await call(server, 'GET', '/v1/kv/default/a'),
    ];
    for (const [status, problem] of answers) {
      assert.deepEqual(
        [status, problem.code, problem.detail],
        [errorEntry(code).status, code, 'why it is so'],
      );
    }
  });
}
