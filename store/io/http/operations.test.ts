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

async function refusal(server: TestServer, method: string, path: string, body?: unknown): Promise<string> {
  const [status, { code }] = await call(server, method, path, body);
  return `${status} ${code}`;
}

const start = (server: TestServer, body: unknown) => call(server, 'POST', '/v1/operations', body);

async function listed(server: TestServer, query = '') {
  const [, json] = await call(server, 'GET', `/v1/operations${query}`);
  return answerSchemas.OperationList.strict().parse(json).operations;
}

const AT = '2026-01-01T00:00:00.000Z';

test('a drain is an operation until its member is removed; asked for twice it is one', async () => {
  await using server = await placed(4);
  const drain = '/v1/members/node-2:drain';
  assert.deepEqual(await call(server, 'POST', drain), [200, { epoch: 6, operation: 'drain-6' }]);
  const again = await start(server, { type: 'drain', member: 'node-2', by: 'somebody else' });
  assert.deepEqual(again, [200, { epoch: 6, operation: 'drain-6' }], 'nothing is changed');
  const [, members] = await call(server, 'GET', '/v1/members');
  const list = answerSchemas.MemberList.strict().parse(members).members;
  assert.deepEqual(
    list.map(({ isDraining }) => isDraining),
    [false, true, false, false],
  );

  server.cluster.startMove(0, [1, 4, 3]);
  const [operation, ...others] = await listed(server);
  const { blockedBy, ...rest } = operation ?? {};
  assert.deepEqual(others, []);
  assert.deepEqual(rest, {
    ...{ id: 'drain-6', type: 'drain', state: 'running', by: 'http', at: AT, member: 'node-2' },
    ...{ partitions: 4, partitionsLeft: 4, partitionsMoving: 1 },
    ...{ bytesMoved: 1 << 20, bytesLeft: 2 << 20, bytesPerSecond: 1 << 19, etaSeconds: 4 },
    stages: { joint: 1, transfer: 0, switch: 0 },
  });
  assert.match(blockedBy ?? '', /^1 partition: .*node-4/);
  const [, one] = await call(server, 'GET', '/v1/operations/drain-6');
  assert.equal(answerSchemas.Operation.strict().parse(one).id, 'drain-6');

  server.cluster.placePartitions([1, 3, 4]);
  server.cluster.endOperations();
  const [ended] = await listed(server, '?state=done');
  assert.deepEqual([ended?.id, ended?.member, ended?.endedAt], ['drain-6', 'member-2', AT]);
  assert.deepEqual(await listed(server, '?state=running'), []);
  assert.equal(server.cluster.state?.members.has(2), false);
});

test('each type of operation is asked for with its own fields, and lists who asked', async () => {
  await using server = await placed(5);
  server.cluster.liveness.set(3, 'dead');
  const bodies = [
    { type: 'replace', member: 'node-3', by: 'ann@desk' },
    { type: 'replace', member: 'node-4', force: true },
    { type: 'rebalance' },
    { type: 'factor', replicationFactor: 2, by: 'ann@desk' },
  ];
  for (const body of bodies) {
    const [status, { epoch, operation }] = await start(server, body);
    assert.deepEqual([status, operation], [200, `${body.type}-${epoch}`]);
  }
  const operations = await listed(server);
  assert.deepEqual(
    operations.map(({ type, member, replicationFactor, by }) => [type, member, replicationFactor, by]),
    [
      ['replace', 'node-3', undefined, 'ann@desk'],
      ['replace', 'node-4', undefined, 'http'],
      ['rebalance', undefined, undefined, 'http'],
      ['factor', undefined, 2, 'ann@desk'],
    ],
  );
  const epoch = server.cluster.state?.epoch;
  assert.deepEqual(await start(server, { type: 'factor', replicationFactor: 2 }), [
    200,
    { epoch, operation: operations[3]?.id },
  ]);
});

test('the factor that there is already is no operation', async () => {
  await using server = await placed(4);
  assert.deepEqual(await start(server, { type: 'factor', replicationFactor: 3 }), [
    200,
    { epoch: 5, operation: null },
  ]);
});

test('an operation is cancelled by its whole id; cancelled twice it is, and what is done cannot be', async () => {
  await using server = await placed(5);
  const [, { operation: drain }] = await start(server, { type: 'drain', member: 'node-2' });
  const cancel = `/v1/operations/${drain}:cancel`;
  assert.deepEqual(await call(server, 'POST', cancel), [200, { epoch: 8, operation: drain }]);
  assert.equal(server.cluster.state?.members.get(2)?.isDraining, false);
  assert.deepEqual(await call(server, 'POST', cancel), [200, { epoch: 8, operation: drain }]);
  assert.equal((await listed(server))[0]?.state, 'cancelled');

  const [, { operation: second }] = await start(server, { type: 'drain', member: 'node-2' });
  server.cluster.placePartitions([1, 3, 4]);
  server.cluster.endOperations();
  const before = server.cluster.state;
  const [status, problem] = await call(server, 'POST', `/v1/operations/${second}:cancel`);
  assert.deepEqual([status, problem.code], [409, 'OPERATION_NOT_CANCELLABLE']);
  assert.match(String(problem.detail), /drain-\d+ is done/);
  const number = String(second).slice('drain-'.length);
  const ids = ['drain-node-2', `rebalance-${number}`, number, `${second}0`, 'x%20y', '%ff', 'drain-'];
  for (const id of ids)
    for (const [method, path] of [
      ['GET', `/v1/operations/${id}`],
      ['GET', `/v1/operations/${id}:watch`],
      ['POST', `/v1/operations/${id}:cancel`],
    ] as const)
      assert.equal(await refusal(server, method, path), '404 OPERATION_NOT_FOUND', path);
  const [, unknown] = await call(server, 'GET', '/v1/operations/drain-1');
  assert.equal(unknown.detail, `There is no operation "drain-1"; known are ${drain}, ${second}.`);
  assert.equal(server.cluster.state, before, 'refusals change nothing');
});

const WRONG: readonly (readonly [string, unknown, RegExp])[] = [
  ['400 BAD_FIELD', {}, /^type: one of drain, replace, rebalance, factor\.$/],
  ['400 BAD_FIELD', { type: 'remove', member: 'node-2' }, /^type: one of drain/],
  ['400 BAD_FIELD', [], /^The document: .*object/],
  ['400 BAD_MEMBER_NAME', { type: 'drain' }, /^member: /],
  ['400 BAD_MEMBER_NAME', { type: 'drain', member: 'Node 2' }, /^member: a member name is a DNS label/],
  [
    '400 UNKNOWN_FIELD',
    { type: 'drain', member: 'node-2', hard: true },
    /"hard".*allowed: type, member, force, by/,
  ],
  ['400 UNKNOWN_FIELD', { type: 'rebalance', member: 'node-2' }, /"member".*allowed: type, force, by/],
  ['400 BAD_FIELD', { type: 'replace', member: 'node-2', force: 'yes' }, /^force: .*boolean/],
  ['400 BAD_FIELD', { type: 'factor' }, /^replicationFactor: .*number/],
  ['400 BAD_FIELD', { type: 'factor', replicationFactor: 0 }, /^replicationFactor: .*>=1/],
  ['400 BAD_FIELD', { type: 'factor', replicationFactor: 10 }, /^replicationFactor: .*<=9/],
  ['400 BAD_FIELD', { type: 'rebalance', by: '' }, /^by: /],
  ['400 BAD_FIELD', { type: 'rebalance', by: 'x'.repeat(129) }, /^by: .*128/],
  ['400 BAD_FIELD', { type: 'rebalance', by: '\u0088y' }, /^by: .*control characters/],
  ['404 MEMBER_NOT_FOUND', { type: 'drain', member: 'node-9' }, /node-9/],
  ['404 MEMBER_NOT_FOUND', { type: 'replace', member: 'node-9', force: true }, /node-9/],
  ['409 MEMBER_ALIVE', { type: 'replace', member: 'node-2' }, /node-2 is up/],
  ['409 TOO_FEW_MEMBERS', { type: 'factor', replicationFactor: 5 }, /cannot be 5: 3 members have started/],
  ['409 TOO_FEW_MEMBERS', { type: 'drain', member: 'node-3' }, /2 of the other members .*partition needs 3/],
  ['409 TOO_FEW_MEMBERS', { type: 'replace', member: 'node-3', force: true }, /cannot be replaced: 2 of/],
];

test('what cannot be done, or is not asked for as it must be, is refused with the reason, and changes nothing', async () => {
  await using server = await placed(4);
  assert.equal((await start(server, { type: 'drain', member: 'node-4' }))[0], 200);
  const before = server.cluster.state;
  for (const [expected, body, detail] of WRONG) {
    const [status, problem] = await start(server, body);
    assert.equal(`${status} ${problem.code}`, expected, JSON.stringify(body));
    assert.match(String(problem.detail), detail);
  }
  assert.equal(await refusal(server, 'POST', '/v1/operations?force=true', {}), '400 UNKNOWN_PARAMETER');
  const broken = await fetch(`${server.url}/v1/operations`, { method: 'POST', body: '{"type":' });
  assert.equal(((await broken.json()) as Json).code, 'BAD_JSON');
  const drain = (name: string) => refusal(server, 'POST', `/v1/members/${name}:drain`);
  assert.equal(await drain('node-3'), '409 TOO_FEW_MEMBERS');
  assert.equal(await drain('node-9'), '404 MEMBER_NOT_FOUND');
  assert.equal(await drain('Not_A_Label'), '400 BAD_MEMBER_NAME');
  assert.equal(await refusal(server, 'POST', '/v1/members/node-2:drain?x=1'), '400 UNKNOWN_PARAMETER');
  assert.equal(await refusal(server, 'POST', '/v1/members/node-2:remove'), '409 MEMBER_OWNS_DATA');
  assert.equal(await refusal(server, 'GET', '/v1/operations?state=over'), '400 BAD_PARAMETER');
  assert.equal(server.cluster.state, before);
});

test('the last member of a zone is taken out of it by force alone', async () => {
  await using server = await placed(4);
  for (const [i, zone] of ['a', 'b', 'c', 'a'].entries())
    await server.cluster.updateMember(`node-${i + 1}`, { zone });
  const before = server.cluster.state;
  const drain = { type: 'drain', member: 'node-2' };
  const [status, problem] = await start(server, drain);
  assert.deepEqual([status, problem.code], [409, 'TOO_FEW_ZONES']);
  assert.match(String(problem.detail), /zone b/);
  assert.equal(server.cluster.state, before);
  assert.equal((await start(server, { ...drain, force: true }))[0], 200);
});

test('what the disks could not take is refused with what is missing, and begins by force alone', async () => {
  await using server = await placed(4);
  const owned = [0, 1, 2, 3].map((partition) => ({ partition, bytes: 100 }));
  const { disks } = server.cluster;
  for (const member of [1, 2, 3]) disks.set(member, { received: [], owned, freeBytes: 0 });
  disks.set(4, { received: [], owned: [], freeBytes: 799 });
  const before = server.cluster.state;
  const drain = { type: 'drain', member: 'node-2' };
  const [status, problem] = await start(server, drain);
  assert.deepEqual([status, problem.code, problem.retryable], [409, 'NO_SPACE', false]);
  assert.match(String(problem.detail), /node-4 has 799 bytes free, and would need 800 to take 400/);
  assert.equal(await refusal(server, 'POST', '/v1/members/node-2:drain'), '409 NO_SPACE');
  assert.equal(server.cluster.state, before);
  assert.equal((await start(server, { ...drain, force: true }))[0], 200);

  await using roomy = await placed(4);
  for (const member of [1, 2, 3]) roomy.cluster.disks.set(member, { received: [], owned, freeBytes: 0 });
  roomy.cluster.disks.set(4, { received: [], owned: [], freeBytes: 800 });
  assert.equal((await start(roomy, drain))[0], 200);
});

test('weight and zone are changed together or alone; a body without either is refused', async () => {
  await using server = await placed(2);
  const patch = (body: unknown) => call(server, 'PATCH', '/v1/members/node-2', body);
  assert.deepEqual(await patch({ weight: 7, zone: 'b' }), [200, { epoch: 4, member: 2 }]);
  assert.deepEqual(await patch({ zone: 'c' }), [200, { epoch: 5, member: 2 }]);
  assert.deepEqual(await patch({ weight: 7 }), [200, { epoch: 5, member: 2 }], 'what holds raises no epoch');
  const [, members] = await call(server, 'GET', '/v1/members');
  const { weight, zone, zoneReplaced } = answerSchemas.MemberList.strict().parse(members).members[1] ?? {};
  assert.deepEqual([weight, zone, zoneReplaced], [7, 'c', '']);
  const before = server.cluster.state;
  for (const body of [
    {},
    { zone: 'a b' },
    { zone: 'z'.repeat(64) },
    { zone: 1 },
    { weight: 0 },
    { weight: 1001 },
  ])
    assert.equal(await refusal(server, 'PATCH', '/v1/members/node-2', body), '400 BAD_FIELD');
  assert.equal(await refusal(server, 'PATCH', '/v1/members/node-2', { name: 'x' }), '400 UNKNOWN_FIELD');
  const [, problem] = await patch({});
  assert.equal(problem.detail, 'The document: give weight, zone, or both.');
  assert.equal(server.cluster.state, before);
});

test('a yes counts for a while: who asks next hears of it, unless both only look', async () => {
  await using server = await placed(4);
  const ask = async (name: string, query = '') => {
    const [status, json] = await call(server, 'GET', `/v1/nodes/${name}/can-stop${query}`);
    assert.equal(status, 200);
    return answerSchemas.StopVerdict.strict().parse(json);
  };
  const looked = { canStop: true, reasons: [], partitions: [] };
  for (const name of ['node-2', 'node-3']) assert.deepEqual(await ask(name, '?look=true'), looked);
  const until = '2026-01-01T00:01:00.000Z';
  assert.deepEqual(await ask('node-2', '?look=false'), { ...looked, until });
  assert.deepEqual(await ask('node-2'), { ...looked, until }, 'a lease is no obstacle to its own member');
  for (const query of ['', '?look=true']) {
    const { canStop, reasons, partitions, until: none } = await ask('node-3', query);
    assert.deepEqual([canStop, partitions, none], [false, [0, 1, 2, 3], undefined]);
    assert.match(reasons.join('\n'), /1 of 3 replicas up; 2 are needed/);
    assert.match(
      reasons.join('\n'),
      /node-2 was told that it may stop, and counts as stopped for another 60 s/,
    );
  }
  server.cluster.liveness.set(3, 'dead');
  assert.match((await ask('node-2')).reasons.join('\n'), /without node-2, 2 of 4 voters .*3 are needed/);
  const path = (name: string): string => `/v1/nodes/${name}/can-stop`;
  assert.equal(await refusal(server, 'GET', path('node-9')), '404 MEMBER_NOT_FOUND');
  assert.equal(await refusal(server, 'GET', path('No_Label')), '400 BAD_MEMBER_NAME');
  assert.equal(await refusal(server, 'GET', `${path('node-2')}?look=maybe`), '400 BAD_PARAMETER');
  assert.equal(await refusal(server, 'POST', path('node-2')), '405 METHOD_NOT_ALLOWED');
});

test('a node stops where it is named itself, is asked by no web page, and allows it', async () => {
  await using server = await startTestServer();
  const stop = '/v1/nodes/node-1:stop';
  const page = await fetch(server.url + stop, { method: 'POST', headers: { origin: 'https://example.org' } });
  assert.deepEqual([page.status, ((await page.json()) as Json).code], [403, 'REMOTE_STOP_OFF']);
  const [status, problem] = await call(server, 'POST', '/v1/nodes/node-2:stop');
  assert.deepEqual([status, problem.code, problem.node], [421, 'WRONG_NODE', 'node-1']);
  assert.equal(await refusal(server, 'POST', `${stop}?force=true`), '400 UNKNOWN_PARAMETER');
  assert.equal(server.stops(), 0);
  assert.deepEqual(await call(server, 'POST', stop), [202, { node: 'node-1' }]);
  assert.equal(server.stops(), 1);
  await using other = await startTestServer({ remoteStop: false });
  assert.equal(await refusal(other, 'POST', stop), '403 REMOTE_STOP_OFF');
  assert.equal(other.stops(), 0);
});

test('without a leader only the view of this node can be asked for', async () => {
  await using server = await placed(4);
  const [, { operation }] = await start(server, { type: 'rebalance' });
  server.cluster.failure = new ClusterError('NO_LEADER', 'gone');
  for (const path of ['/v1/operations', '/v1/operations/x', `/v1/operations/${operation}:watch`])
    assert.equal(await refusal(server, 'GET', path), '503 NO_LEADER', path);
  assert.equal(await refusal(server, 'GET', '/v1/nodes/node-1/can-stop'), '503 NO_LEADER');
  assert.equal(await refusal(server, 'POST', '/v1/operations', { type: 'rebalance' }), '503 NO_LEADER');
  assert.equal((await call(server, 'GET', '/v1/operations?consistency=local'))[0], 200);
  assert.equal((await call(server, 'GET', `/v1/operations/${operation}?consistency=local`))[0], 200);
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
