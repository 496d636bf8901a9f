import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterError } from '../../cluster/cluster-admin.ts';
import { answerSchemas } from './schemas.ts';
import { startTestServer, type TestServer } from './test-server.ts';

type Json = Record<string, unknown>;

/** `members` of them, and four partitions on the first three. */
async function placed(members: number): Promise<TestServer> {
  const server = await startTestServer();
  for (let number = 2; number <= members; number++) server.cluster.addMember(`node-${number}`);
  server.cluster.placePartitions([1, 2, 3]);
  return server;
}

async function call(server: TestServer, method: string, path: string): Promise<[number, Json]> {
  const response = await fetch(server.url + path, { method });
  return [response.status, (await response.json()) as Json];
}

async function refusal(server: TestServer, method: string, path: string): Promise<string> {
  const [status, { code }] = await call(server, method, path);
  return `${status} ${code}`;
}

test('a drain is an operation from when it is asked for until it is cancelled; asked for twice it is one', async () => {
  await using server = await placed(4);
  const drain = '/v1/members/node-2:drain';
  const [status, { epoch, member }] = await call(server, 'POST', drain);
  assert.deepEqual([status, member], [200, 2]);
  assert.deepEqual(await call(server, 'POST', drain), [200, { epoch, member: 2 }], 'nothing is changed');
  const [, members] = await call(server, 'GET', '/v1/members');
  const list = answerSchemas.MemberList.strict().parse(members).members;
  assert.deepEqual(
    list.map(({ isDraining }) => isDraining),
    [false, true, false, false],
  );

  server.cluster.startMove(0, [1, 4, 3]);
  const [, json] = await call(server, 'GET', '/v1/operations');
  const { operations } = answerSchemas.OperationList.strict().parse(json);
  const { blockedBy, ...operation } = operations[0] ?? {};
  assert.equal(operations.length, 1);
  assert.deepEqual(operation, {
    ...{ id: 'drain-node-2', type: 'drain', member: 'node-2', partitionsLeft: 4, partitionsMoving: 1 },
    stages: { joint: 1, transfer: 0, switch: 0 },
  });
  assert.match(blockedBy ?? '', /^1 partition: .*node-4/);
  const [, one] = await call(server, 'GET', '/v1/operations/drain-node-2');
  answerSchemas.Operation.strict().parse(one);
  assert.equal(one.id, 'drain-node-2');

  const cancel = '/v1/operations/drain-node-2:cancel';
  assert.equal((await call(server, 'POST', cancel))[0], 200);
  assert.equal(server.cluster.state?.members.get(2)?.isDraining, false);
  assert.equal(await refusal(server, 'POST', cancel), '404 OPERATION_NOT_FOUND', 'it is no more');
  assert.equal((await call(server, 'POST', '/v1/members/node-2:cancel-drain'))[0], 200, 'holds already');
});

test('only a drain can be cancelled, and what is not under way has no page', async () => {
  await using server = await placed(6);
  const [, { operations }] = await call(server, 'GET', '/v1/operations');
  assert.deepEqual(
    (operations as Json[]).map(({ id }) => id),
    ['rebalance'],
  );
  const [status, problem] = await call(server, 'POST', '/v1/operations/rebalance:cancel');
  assert.deepEqual([status, problem.code], [409, 'OPERATION_NOT_CANCELLABLE']);
  assert.match(String(problem.detail), /"rebalance" is a rebalance; only a drain can be cancelled/);
  for (const id of ['drain-node-2', 'drain-nobody', 'x%20y', '%ff', 'rebalance-'])
    for (const [method, path] of [
      ['GET', `/v1/operations/${id}`],
      ['POST', `/v1/operations/${id}:cancel`],
    ] as const)
      assert.equal(await refusal(server, method, path), '404 OPERATION_NOT_FOUND', path);
  const [, unknown] = await call(server, 'GET', '/v1/operations/drain-node-2');
  assert.match(String(unknown.detail), /under way: rebalance\.$/);
});

test('a drain is refused where the others are too few, and of whom there is not', async () => {
  await using server = await placed(4);
  assert.equal((await call(server, 'POST', '/v1/members/node-4:drain'))[0], 200);
  const before = server.cluster.state;
  const [status, problem] = await call(server, 'POST', '/v1/members/node-3:drain');
  assert.deepEqual([status, problem.code], [409, 'TOO_FEW_MEMBERS']);
  assert.match(String(problem.detail), /2 of the other members .*each partition needs 3/);
  for (const verb of ['drain', 'cancel-drain']) {
    assert.equal(await refusal(server, 'POST', `/v1/members/node-9:${verb}`), '404 MEMBER_NOT_FOUND');
    assert.equal(await refusal(server, 'POST', `/v1/members/Not_A_Label:${verb}`), '400 BAD_MEMBER_NAME');
    assert.equal(await refusal(server, 'POST', `/v1/members/node-2:${verb}?x=1`), '400 UNKNOWN_PARAMETER');
  }
  assert.equal(await refusal(server, 'POST', '/v1/members/node-2:remove'), '409 MEMBER_OWNS_DATA');
  assert.equal(server.cluster.state, before, 'refusals change nothing');
});

test('a node can stop while the others keep every quorum, and what would lose it is named', async () => {
  await using server = await placed(4);
  const ask = async (name: string) => {
    const [status, json] = await call(server, 'GET', `/v1/nodes/${name}/can-stop`);
    assert.equal(status, 200);
    return answerSchemas.StopVerdict.strict().parse(json);
  };
  assert.deepEqual(await ask('node-2'), { canStop: true, reasons: [], partitions: [] });
  server.cluster.liveness.set(3, 'dead');
  const { canStop, reasons, partitions } = await ask('node-2');
  assert.deepEqual([canStop, partitions], [false, [0, 1, 2, 3]]);
  assert.match(reasons.join('\n'), /1 of 3 replicas up; 2 are needed/);
  assert.match(reasons.join('\n'), /without node-2, 2 of 4 voters .*3 are needed/);
  assert.equal(await refusal(server, 'GET', '/v1/nodes/node-9/can-stop'), '404 MEMBER_NOT_FOUND');
  assert.equal(await refusal(server, 'GET', '/v1/nodes/No_Label/can-stop'), '400 BAD_MEMBER_NAME');
  assert.equal(await refusal(server, 'POST', '/v1/nodes/node-2/can-stop'), '405 METHOD_NOT_ALLOWED');
});

test('without a leader only the view of this node can be asked for', async () => {
  await using server = await placed(4);
  server.cluster.failure = new ClusterError('NO_LEADER', 'gone');
  for (const path of ['/v1/operations', '/v1/operations/x', '/v1/nodes/node-1/can-stop'])
    assert.equal(await refusal(server, 'GET', path), '503 NO_LEADER', path);
  assert.equal((await call(server, 'GET', '/v1/operations?consistency=local'))[0], 200);
  assert.equal((await call(server, 'GET', '/v1/nodes/node-1/can-stop?consistency=local'))[0], 200);
  assert.equal(await refusal(server, 'GET', '/v1/operations?consistency=some'), '400 BAD_PARAMETER');
});

test('ring, places and topology say where a partition moves to', async () => {
  await using server = await placed(4);
  server.cluster.startMove(0, [1, 4, 3]);
  const [, topology] = await call(server, 'GET', '/v1/topology');
  const view = answerSchemas.Topology.strict().parse(topology);
  assert.deepEqual([view.partitions[0]?.move?.to, view.partitions[1]?.move], [[1, 4, 3], undefined]);
  const [, ring] = await call(server, 'GET', '/v1/ring');
  const { sets } = answerSchemas.Ring.strict().parse(ring);
  const [first, second] = sets;
  assert.deepEqual([first?.replicas, first?.movingTo, first?.stage], [[1, 2, 3], [1, 4, 3], 'joint']);
  assert.equal(Object.hasOwn(second ?? {}, 'stage'), false);
  const places = await Promise.all(
    Array.from({ length: 20 }, (_, i) => call(server, 'GET', `/v1/locate/key-${i}`)),
  );
  for (const [, json] of places) {
    const place = answerSchemas.KeyPlace.strict().parse(json);
    assert.equal(place.stage, place.partition === 0 ? 'joint' : undefined);
  }
  assert.ok(places.some(([, { partition }]) => partition === 0));
});
