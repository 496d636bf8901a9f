import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exchangeRaw, startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer({ valueBytesMax: 1024, batchBytesMax: 4096, headerBytesMax: 4096 });
});
after(() => server[Symbol.asyncDispose]());

type Case = readonly [
  name: string,
  method: string,
  path: string,
  status: number,
  code: string,
  init?: RequestInit,
];

const json = (body: unknown): RequestInit => ({
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const batch = (name: string, body: unknown, code: string, status = 400): Case => [
  ...([`batch: ${name}`, 'POST', '/v1/kv/default:batch', status, code] as const),
  json(body),
];
const lone = '{"operations":[{"op":"put","key":"\\ud800","value":""}]}';
const many = { operations: Array.from({ length: 1001 }, () => 0) };

const cases: readonly Case[] = [
  ['empty key', 'PUT', '/v1/kv/default/', 400, 'KEY_EMPTY'],
  ['key too long', 'GET', `/v1/kv/default/${'k'.repeat(1025)}`, 400, 'KEY_TOO_LONG'],
  ['escape of one digit', 'GET', '/v1/kv/default/a%2', 400, 'BAD_KEY_ENCODING'],
  ['escape of no digits', 'GET', '/v1/kv/default/%zz', 400, 'BAD_KEY_ENCODING'],
  ['bare percent', 'PUT', '/v1/kv/default/%', 400, 'BAD_KEY_ENCODING'],
  ['unknown namespace', 'GET', '/v1/kv/nowhere/a', 404, 'NAMESPACE_NOT_FOUND'],
  ['unknown namespace: scan', 'GET', '/v1/kv/nowhere', 404, 'NAMESPACE_NOT_FOUND'],
  ['unknown namespace: stream', 'GET', '/v1/kv/nowhere?format=ndjson', 404, 'NAMESPACE_NOT_FOUND'],
  ['bad namespace', 'GET', '/v1/kv/Default/a', 400, 'BAD_NAMESPACE_NAME'],
  ['bad namespace in %', 'GET', '/v1/kv/%ff/a', 400, 'BAD_NAMESPACE_NAME'],
  ['missing key', 'GET', '/v1/kv/default/missing', 404, 'KEY_NOT_FOUND'],
  ['value too large', 'PUT', '/v1/kv/default/a', 413, 'VALUE_TOO_LARGE', { body: 'x'.repeat(1025) }],
  ['unknown parameter', 'GET', '/v1/kv/default/a?x=1', 400, 'UNKNOWN_PARAMETER'],
  ['unknown scan parameter', 'GET', '/v1/kv/default?lmit=1', 400, 'UNKNOWN_PARAMETER'],
  ['parameter twice', 'GET', '/v1/kv/default?limit=1&limit=2', 400, 'BAD_PARAMETER'],
  ['broken escape in a parameter', 'GET', '/v1/kv/default?prefix=%f', 400, 'BAD_PARAMETER'],
  ['limit 0', 'GET', '/v1/kv/default?limit=0', 400, 'BAD_PARAMETER'],
  ['limit 1001', 'GET', '/v1/kv/default?limit=1001', 400, 'BAD_PARAMETER'],
  ['reverse=yes', 'GET', '/v1/kv/default?reverse=yes', 400, 'BAD_PARAMETER'],
  ['bad cursor', 'GET', '/v1/kv/default?cursor=abc', 400, 'BAD_CURSOR'],
  ['empty cursor', 'GET', '/v1/kv/default?cursor=', 400, 'BAD_CURSOR'],
  ['cursor of a stream', 'GET', '/v1/kv/default?format=ndjson&cursor=abc', 400, 'BAD_CURSOR'],
  ...['0', '-1', '1e18', '1000000000000000000', '1.5', '', 'x', '0x10', '01'].map(
    (ttl): Case => [`ttl ${ttl}`, 'PUT', `/v1/kv/default/a?ttl=${ttl}`, 400, 'BAD_TTL', { body: 'v' }],
  ),
  ['ttl header', 'PUT', '/v1/kv/default/a', 400, 'BAD_TTL', { headers: { 'kvorum-ttl': '0' } }],
  ['ttls differ', 'PUT', '/v1/kv/default/a?ttl=5', 400, 'BAD_TTL', { headers: { 'kvorum-ttl': '6' } }],
  [
    ...(['conditional put', 'PUT', '/v1/kv/default/a', 400, 'CONDITION_NEEDS_LINEARIZABLE'] as const),
    { headers: { 'if-none-match': '*' } },
  ],
  [
    'content type',
    'PUT',
    '/v1/kv/default/a',
    400,
    'BAD_CONTENT_TYPE',
    { headers: { 'content-type': 'x'.repeat(256) } },
  ],
  ['unknown route', 'GET', '/v1/nothing', 404, 'ROUTE_NOT_FOUND'],
  ['wrong method', 'POST', '/v1/kv/default/a', 405, 'METHOD_NOT_ALLOWED'],
  ['wrong method on a probe', 'DELETE', '/livez', 405, 'METHOD_NOT_ALLOWED'],
  ['bad confirm', 'DELETE', '/v1/namespaces/default?confirm=x', 400, 'BAD_PARAMETER'],
  ['default is protected', 'DELETE', '/v1/namespaces/default', 409, 'NAMESPACE_PROTECTED'],
  ['namespace body', 'PUT', '/v1/namespaces/a', 400, 'BAD_FIELD', json({ consistency: 'x' })],
  ['namespace field', 'PUT', '/v1/namespaces/a', 400, 'UNKNOWN_FIELD', json({ replicas: 3 })],
  batch('bad JSON', '{"operations":', 'BAD_JSON'),
  [
    'batch: not UTF-8',
    'POST',
    '/v1/kv/default:batch',
    400,
    'BAD_JSON',
    { body: Buffer.from([0x22, 0xff, 0x22]) },
  ],
  batch('no document', '', 'BAD_JSON'),
  batch('null', 'null', 'BAD_FIELD'),
  batch('wrong type', { operations: {} }, 'BAD_FIELD'),
  batch('unknown field', { operations: [], x: 1 }, 'UNKNOWN_FIELD'),
  batch(
    'unknown field of an operation',
    { operations: [{ op: 'get', key: 'a', value: '' }] },
    'UNKNOWN_FIELD',
  ),
  batch('unknown operation', { operations: [{ op: 'cas', key: 'a' }] }, 'BAD_FIELD'),
  batch('no key', { operations: [{ op: 'get' }] }, 'BAD_FIELD'),
  batch('two keys', { operations: [{ op: 'get', key: 'a', keyBase64: 'YQ==' }] }, 'BAD_FIELD'),
  batch('bad base64', { operations: [{ op: 'get', keyBase64: 'YQ' }] }, 'BAD_FIELD'),
  batch('empty key', { operations: [{ op: 'get', key: '' }] }, 'KEY_EMPTY'),
  batch('key too long', { operations: [{ op: 'get', key: 'k'.repeat(1025) }] }, 'KEY_TOO_LONG'),
  batch('ttl', { operations: [{ op: 'put', key: 'a', value: '', ttlSeconds: 1.5 }] }, 'BAD_TTL'),
  batch(
    'line break',
    { operations: [{ op: 'put', key: 'a', value: '', contentType: 'a\nb' }] },
    'BAD_CONTENT_TYPE',
  ),
  batch('lone surrogate', lone, 'BAD_FIELD'),
  batch('value', { operations: [{ op: 'put', key: 'a', value: 'x'.repeat(1025) }] }, 'VALUE_TOO_LARGE', 413),
  batch('too many', many, 'TOO_MANY_OPERATIONS'),
  batch('too large', ' '.repeat(4097), 'BATCH_TOO_LARGE', 413),
];

const header = (name: string, text: string): RequestInit => ({ headers: { [name]: text } });
const REPLICATION: readonly Case[] = [
  ...['0', '2', '-1', 'Quorum', 'one', '', '1.0'].flatMap((level): Case[] => [
    [`r=${level}`, 'GET', `/v1/kv/default/a?r=${level}`, 400, 'BAD_PARAMETER'],
    [`w=${level}`, 'PUT', `/v1/kv/default/a?w=${level}`, 400, 'BAD_PARAMETER', { body: 'v' }],
    [`w=${level} of a delete`, 'DELETE', `/v1/kv/default/a?w=${level}`, 400, 'BAD_PARAMETER'],
    [`r=${level} of a scan`, 'GET', `/v1/kv/default?r=${level}`, 400, 'BAD_PARAMETER'],
    [`w=${level} of a batch`, 'POST', `/v1/kv/default:batch?w=${level}`, 400, 'BAD_PARAMETER'],
  ]),
  ...['0', '-1', '60001', '1e3', '', '9'.repeat(400)].map(
    (ms): Case => [`timeoutMs=${ms}`, 'GET', `/v1/kv/default/a?timeoutMs=${ms}`, 400, 'BAD_PARAMETER'],
  ),
  ['w of a read', 'GET', '/v1/kv/default/a?w=1', 400, 'UNKNOWN_PARAMETER'],
  ['r of a stream', 'GET', '/v1/kv/default?format=ndjson&r=1', 400, 'BAD_PARAMETER'],
  ['timeoutMs of a stream', 'GET', '/v1/kv/default?format=ndjson&timeoutMs=5', 400, 'BAD_PARAMETER'],
  ...['x'.repeat(129), '\u00e9', 'a\tb'].flatMap((key): Case[] => [
    [`idempotency key ${key}`, 'PUT', '/v1/kv/default/a', 400, 'BAD_HEADER', header('idempotency-key', key)],
    [
      `idempotency key ${key}`,
      'DELETE',
      '/v1/kv/default/a',
      400,
      'BAD_HEADER',
      header('idempotency-key', key),
    ],
    [
      `idempotency key ${key}`,
      'POST',
      '/v1/kv/default:batch',
      400,
      'BAD_HEADER',
      header('idempotency-key', key),
    ],
  ]),
  ['replicas', 'GET', '/v1/kv/default/a', 400, 'BAD_HEADER', header('kvorum-replicas', 'yes')],
  ...['-1', '1.5', 'x', '', '01', '9'.repeat(17)].map(
    (epoch): Case => [
      `epoch ${epoch}`,
      'GET',
      '/v1/kv/default/a',
      400,
      'BAD_HEADER',
      header('kvorum-epoch', epoch),
    ],
  ),
  ...(['GET', 'PUT', 'DELETE'] as const).map(
    (method): Case => [
      ...([`${method}: epoch from the future`, method, '/v1/kv/default/a', 400, 'EPOCH_IN_FUTURE'] as const),
      header('kvorum-epoch', '9007199254740991'),
    ],
  ),
  [
    ...(['batch: epoch from the future', 'POST', '/v1/kv/default:batch', 400, 'EPOCH_IN_FUTURE'] as const),
    { ...json({ operations: [] }), headers: { 'kvorum-epoch': '2' } },
  ],
  [
    'scan: epoch from the future',
    'GET',
    '/v1/kv/default',
    400,
    'EPOCH_IN_FUTURE',
    header('kvorum-epoch', '2'),
  ],
  ['nothing is placed: ring', 'GET', '/v1/ring', 503, 'CLUSTER_FORMING'],
  ['nothing is placed: locate', 'GET', '/v1/locate/a', 503, 'CLUSTER_FORMING'],
  ['nothing is placed: explain', 'GET', '/v1/explain/default/a', 503, 'CLUSTER_FORMING'],
  ['nothing is placed: verify', 'POST', '/v1/verify', 503, 'CLUSTER_FORMING'],
  ['ring: parameter', 'GET', '/v1/ring?epoch=1', 400, 'UNKNOWN_PARAMETER'],
  ['ring: waitMs without after', 'GET', '/v1/ring?waitMs=10', 400, 'BAD_PARAMETER'],
  ['ring: after', 'GET', '/v1/ring?after=-1', 400, 'BAD_PARAMETER'],
  ['locate: empty key', 'GET', '/v1/locate/', 400, 'KEY_EMPTY'],
  ['locate: key too long', 'GET', `/v1/locate/${'k'.repeat(1025)}`, 400, 'KEY_TOO_LONG'],
  ['locate: bad escape', 'GET', '/v1/locate/%zz', 400, 'BAD_KEY_ENCODING'],
  ['explain: no key', 'GET', '/v1/explain/default/', 400, 'KEY_EMPTY'],
  ['explain: no namespace', 'GET', '/v1/explain/default', 404, 'ROUTE_NOT_FOUND'],
  ['explain: missing namespace', 'GET', '/v1/explain/nowhere/a', 404, 'NAMESPACE_NOT_FOUND'],
  ['explain: bad namespace', 'GET', '/v1/explain/No/a', 400, 'BAD_NAMESPACE_NAME'],
  ['local: missing namespace', 'GET', '/v1/local/nowhere', 404, 'NAMESPACE_NOT_FOUND'],
  ['local: limit', 'GET', '/v1/local/default?limit=1001', 400, 'BAD_PARAMETER'],
  ['local: tombstones', 'GET', '/v1/local/default?tombstones=1', 400, 'BAD_PARAMETER'],
  ['local: cursor', 'GET', '/v1/local/default?cursor=abc', 400, 'BAD_CURSOR'],
  ['local: format', 'GET', '/v1/local/default?format=ndjson', 400, 'UNKNOWN_PARAMETER'],
  ['verify: node', 'POST', '/v1/verify?node=A_b', 400, 'BAD_MEMBER_NAME'],
  ['verify: GET', 'GET', '/v1/verify', 405, 'METHOD_NOT_ALLOWED'],
  ['repair: parameter', 'GET', '/v1/repair?x=1', 400, 'UNKNOWN_PARAMETER'],
];

const change = (name: string, path: string, body: unknown, code: string, status = 400): Case => [
  ...([`${path}: ${name}`, path.startsWith('/v1/members') ? 'PATCH' : 'POST', path, status, code] as const),
  json(body),
];
const BOOTSTRAP = '/v1/cluster:bootstrap';
const MEMBER = '/v1/members/node-1';
const TRANSFER = '/v1/cluster:transfer-leadership';

const clusterCases: readonly Case[] = [
  ...['Node-1', '-a', 'a-', 'a_b', 'a.b', '%ff', 'a%2e%2e', 'x'.repeat(64)].flatMap((name): Case[] => [
    [`member ${name}`, 'POST', `/v1/members/${name}:remove`, 400, 'BAD_MEMBER_NAME'],
    [`member ${name}: weight`, 'PATCH', `/v1/members/${name}`, 400, 'BAD_MEMBER_NAME', json({ weight: 1 })],
    change(`to ${name}`, TRANSFER, { to: name }, 'BAD_MEMBER_NAME'),
  ]),
  ['member without a name', 'POST', '/v1/members/:remove', 400, 'BAD_MEMBER_NAME'],
  ['unknown member', 'POST', '/v1/members/nobody:remove', 404, 'MEMBER_NOT_FOUND'],
  ['unknown action', 'POST', '/v1/cluster:explode', 404, 'ROUTE_NOT_FOUND'],
  ['unknown action of a member', 'POST', '/v1/members/node-1:explode', 405, 'METHOD_NOT_ALLOWED'],
  ['get of a change', 'GET', BOOTSTRAP, 405, 'METHOD_NOT_ALLOWED'],
  ['delete of a member', 'DELETE', MEMBER, 405, 'METHOD_NOT_ALLOWED'],
  ['put of the topology', 'PUT', '/v1/topology', 405, 'METHOD_NOT_ALLOWED'],
  ['parameter of a change', 'POST', '/v1/members/node-1:remove?force=1', 400, 'UNKNOWN_PARAMETER'],
  ['consistency', 'GET', '/v1/members?consistency=strong', 400, 'BAD_PARAMETER'],
  ['parameter of the topology', 'GET', '/v1/topology?epoch=1', 400, 'UNKNOWN_PARAMETER'],
  ...['-1', '1.5', '1e3', '', 'x', '01', '9007199254740992', '9'.repeat(400)].map(
    (epoch): Case => [`after ${epoch}`, 'GET', `/v1/topology?after=${epoch}`, 400, 'BAD_PARAMETER'],
  ),
  ...['-1', '60001', '9007199254740993', '9'.repeat(400), 'soon', ''].map(
    (ms): Case => [`waitMs ${ms}`, 'GET', `/v1/topology?after=1&waitMs=${ms}`, 400, 'BAD_PARAMETER'],
  ),
  ['waitMs without after', 'GET', '/v1/topology?waitMs=10', 400, 'BAD_PARAMETER'],
  change('bad JSON', BOOTSTRAP, '{', 'BAD_JSON'),
  change('a list', BOOTSTRAP, [], 'BAD_FIELD'),
  change('unknown field', BOOTSTRAP, { id: 'x' }, 'UNKNOWN_FIELD'),
  change('short id', BOOTSTRAP, { clusterId: 'abc' }, 'BAD_FIELD'),
  change('capital id', BOOTSTRAP, { clusterId: 'A'.repeat(32) }, 'BAD_FIELD'),
  ...[0, 3, 8192, 2.5, '256'].map((count) =>
    change(`partitions ${count}`, BOOTSTRAP, { partitions: count }, 'BAD_FIELD'),
  ),
  change('replication factor', BOOTSTRAP, { replicationFactor: 10 }, 'BAD_FIELD'),
  change('too large', BOOTSTRAP, ' '.repeat(65_537), 'BODY_TOO_LARGE', 413),
  change('no weight', MEMBER, {}, 'BAD_FIELD'),
  ...[0, -1, 1001, 1.5, '100', null].map((weight) =>
    change(`weight ${weight}`, MEMBER, { weight }, 'BAD_FIELD'),
  ),
  change('unknown field', MEMBER, { weight: 1, state: 'up' }, 'UNKNOWN_FIELD'),
  change('unknown field', TRANSFER, { from: 'a' }, 'UNKNOWN_FIELD'),
];

for (const [name, method, path, status, code, init] of [...cases, ...REPLICATION, ...clusterCases]) {
  test(`refused: ${name}`, async () => {
    const response = await fetch(server.url + path, { method, ...init });
    const problem = (await response.json()) as Record<string, unknown>;
    assert.deepEqual([response.status, problem.code, problem.status], [status, code, status]);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    for (const field of ['type', 'title', 'detail', 'action']) assert.equal(typeof problem[field], 'string');
    assert.equal(typeof problem.retryable, 'boolean');
    if (status === 405) assert.ok(response.headers.get('allow'));
  });
}

const raw: readonly (readonly [name: string, request: string | Buffer, status: number, code: string])[] = [
  ['not HTTP', Buffer.from([0x16, 3, 1, 0, 200, 1, 0]), 400, 'BAD_REQUEST'],
  [
    'header flood in bytes',
    `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9000)}\r\n\r\n`,
    431,
    'HEADERS_TOO_LARGE',
  ],
  [
    'header flood in number',
    `GET /livez HTTP/1.1\r\nHost: a\r\n${'a: 1\r\n'.repeat(150)}\r\n`,
    431,
    'HEADERS_TOO_LARGE',
  ],
  ['no host', 'GET /livez HTTP/1.1\r\n\r\n', 400, 'BAD_REQUEST'],
  ['unknown method', 'FLY /livez HTTP/1.1\r\nHost: a\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
  ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
  [
    'expectation',
    'PUT /v1/kv/default/a HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\n',
    417,
    'EXPECTATION_FAILED',
  ],
  ['fragment', 'GET /v1/kv/default/a#b HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'BAD_KEY_ENCODING'],
  [
    'announced too large',
    'PUT /v1/kv/default/a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n',
    413,
    'VALUE_TOO_LARGE',
  ],
  [
    'too large without a length',
    `PUT /v1/kv/default/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n401\r\n${'x'.repeat(1025)}\r\n`,
    413,
    'VALUE_TOO_LARGE',
  ],
];

for (const [name, request, status, code] of raw) {
  test(`refused on the wire: ${name}`, async () => {
    const answer = await exchangeRaw(server.port, [request]);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*"code":"${code}"`));
    assert.equal(/\r\nAllow: /.test(answer), status === 405);
  });
}

test('problem documents name what is unknown and what is allowed', async () => {
  const response = await fetch(`${server.url}/v1/kv/default/a?tll=1`, { method: 'PUT', body: 'v' });
  const problem = (await response.json()) as Record<string, unknown>;
  assert.equal(problem.parameter, 'tll');
  assert.deepEqual(problem.allowed, ['ttl', 'r', 'timeoutMs', 'w']);
});

test('nothing of the bad input changed the cluster', () => {
  assert.equal(server.cluster.state?.epoch, 1);
});
