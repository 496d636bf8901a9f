import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Level } from '../../core/quorum/quorum-sizes.ts';
import { toEpoch } from '../../core/topology/types.ts';
import { KvError, type KvErrorCode } from '../../storage/errors.ts';
import { startTestServer } from './test-server.ts';

type Json = Record<string, unknown>;
const KEY = '/v1/kv/default/a';
const ANSWERS = [
  { member: 1, node: 'node-1', said: 'held' },
  { member: 2, node: 'node-2', said: 'silent' },
];

function missed(code: KvErrorCode, outcome: 'unknown' | 'unwritten' | undefined): KvError {
  return new KvError(code, 'told', { ...(outcome && { outcome }), needed: 2, answers: ANSWERS });
}

test('r, w, timeoutMs and Idempotency-Key reach the store; without them it is asked for nothing', async () => {
  await using server = await startTestServer();
  const { url, store } = server;
  const send = async (method: string, query: string, headers: Record<string, string> = {}) => {
    const body = method === 'PUT' ? 'v' : null;
    const response = await fetch(`${url}${KEY}${query}`, { method, body, headers });
    await response.arrayBuffer();
    const { onReplicas, ...options } = store.asked.shift() ?? {};
    return options;
  };
  await send('PUT', '');
  assert.deepEqual(await send('GET', ''), {});
  assert.equal(store.asked.length, 0);
  const levels: readonly [string, Level][] = [
    ['1', 1],
    ['quorum', 'quorum'],
    ['all', 'all'],
  ];
  for (const [text, level] of levels) {
    assert.deepEqual(await send('GET', `?r=${text}`), { r: level });
    assert.deepEqual(await send('HEAD', `?r=${text}&timeoutMs=60000`), { r: level, timeoutMs: 60_000 });
    assert.deepEqual(await send('PUT', `?ttl=9&w=${text}&r=1`), { r: 1, w: level });
    assert.deepEqual(await send('DELETE', `?w=${text}`), { w: level });
  }
  const key = { 'Idempotency-Key': ` ~${'x'.repeat(120)}!`.trim() };
  assert.deepEqual(await send('PUT', '', key), { idempotencyKey: key['Idempotency-Key'] });
  assert.deepEqual(await send('DELETE', '?timeoutMs=1', key), {
    ...{ timeoutMs: 1, idempotencyKey: key['Idempotency-Key'] },
  });
  assert.deepEqual(await send('GET', '', key), {}, 'a read is harmless without');
});

test('a batch hands on what it was asked; its slices have idempotency keys and a share of the time each', async () => {
  await using server = await startTestServer();
  const operations = Array.from({ length: 40 }, (_, at) => ({ op: 'get', key: `k${at}` }));
  const run = async (query: string, headers: Record<string, string>) => {
    const body = JSON.stringify({ operations });
    const response = await fetch(`${server.url}/v1/kv/default:batch${query}`, {
      method: 'POST',
      body,
      headers,
    });
    assert.equal(response.status, 200);
    return server.store.asked.splice(0);
  };
  const keyed = await run('?r=1&w=all&timeoutMs=5000', { 'idempotency-key': 'k' });
  assert.deepEqual(
    keyed.map((options) => [options?.idempotencyKey, options?.r, options?.w]),
    [
      ['k', 1, 'all'],
      ['k\n16', 1, 'all'],
      ['k\n32', 1, 'all'],
    ],
  );
  assert.ok(keyed.every((options) => (options?.timeoutMs as number) <= 5000));
  assert.equal((await run('?r=1', {})).length, 2, 'without a key the slices grow');
});

test('a page of a scan is read as asked', async () => {
  await using server = await startTestServer();
  await fetch(`${server.url}/v1/kv/default?r=all&timeoutMs=7`);
  assert.deepEqual(server.store.asked, [{ r: 'all', timeoutMs: 7 }]);
});

test('Kvorum-Replicas: true tells what each replica said, also of a missing key and of a refusal', async () => {
  await using server = await startTestServer();
  const { url, store } = server;
  store.replicas = [
    { member: 1, name: 'node-1', said: 'held' },
    { member: 2, name: 'node-2', said: 'refused STORAGE_FULL' },
  ];
  const said = async (method: string, headers = { 'kvorum-replicas': 'true' }) => {
    const response = await fetch(url + KEY, { method, headers, body: method === 'PUT' ? 'v' : null });
    await response.arrayBuffer();
    return [response.status, response.headers.get('kvorum-replicas')];
  };
  const text = 'node-1=held, node-2=refused STORAGE_FULL';
  assert.deepEqual(await said('PUT'), [204, text]);
  assert.deepEqual(await said('GET'), [200, text]);
  assert.deepEqual(await said('HEAD'), [200, text]);
  assert.deepEqual(await said('DELETE'), [204, text]);
  assert.deepEqual(await said('GET'), [404, text]);
  assert.deepEqual(await said('HEAD'), [404, text]);
  const silent = await fetch(url + KEY);
  assert.equal(silent.headers.get('kvorum-replicas'), null);
  store.get = async (_namespace, _key, options) => {
    options?.onReplicas?.(store.replicas);
    throw missed('QUORUM_NOT_MET', undefined);
  };
  assert.deepEqual(await said('GET'), [503, text]);
});

test('C1: a missed quorum may be repeated where nothing was written, or nothing can be harmed', async () => {
  await using server = await startTestServer();
  const { url, store } = server;
  const told = async (method: string, failure: KvError, headers: Record<string, string> = {}) => {
    store.failure = failure;
    const response = await fetch(url + KEY, { method, headers, body: method === 'PUT' ? 'v' : null });
    return [response, (await response.json()) as Json] as const;
  };
  const [response, problem] = await told('PUT', missed('QUORUM_NOT_MET', 'unknown'));
  assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '1']);
  assert.deepEqual([problem.outcome, problem.answers, problem.needed], ['unknown', ANSWERS, 2]);
  const cases: readonly [string, KvErrorCode, 'unknown' | 'unwritten' | undefined, boolean, boolean][] = [
    ['PUT', 'QUORUM_NOT_MET', 'unknown', false, true],
    ['PUT', 'QUORUM_NOT_MET', 'unwritten', true, true],
    ['PUT', 'QUORUM_NOT_MET', undefined, false, true],
    ['DELETE', 'DEADLINE_EXCEEDED', 'unknown', false, true],
    ['DELETE', 'CLOCK_SKEW', 'unwritten', true, true],
    ['GET', 'DEADLINE_EXCEEDED', undefined, true, true],
    ['GET', 'QUORUM_NOT_MET', undefined, true, true],
    ['PUT', 'STORAGE_FULL', 'unknown', false, true],
    ['PUT', 'STORAGE_FULL', undefined, true, true],
    ['PUT', 'IDEMPOTENCY_MISMATCH', undefined, false, false],
  ];
  for (const [method, code, outcome, plain, keyed] of cases) {
    const name = `${method} ${code} ${outcome}`;
    assert.equal((await told(method, missed(code, outcome)))[1].retryable, plain, name);
    const repeated = await told(method, missed(code, outcome), { 'idempotency-key': 'k' });
    assert.equal(repeated[1].retryable, keyed, `${name}, keyed`);
  }
  const statuses: number[] = [];
  for (const code of ['DEADLINE_EXCEEDED', 'IDEMPOTENCY_MISMATCH', 'CLOCK_SKEW', 'REPLICA_OUT'] as const)
    statuses.push((await told('PUT', missed(code, 'unknown')))[0].status);
  assert.deepEqual(statuses, [504, 422, 503, 503]);
});

test('a node that is not ready closes the connection with a refusal that another node may not have', async () => {
  await using server = await startTestServer();
  const { url, store } = server;
  const connection = async () => (await fetch(url + KEY)).headers.get('connection');
  for (const code of ['QUORUM_NOT_MET', 'DEADLINE_EXCEEDED'] as const) {
    store.failure = missed(code, undefined);
    assert.equal(await connection(), 'close', code);
  }
  store.failure = undefined;
  store.get = async () => {
    throw missed('QUORUM_NOT_MET', undefined);
  };
  assert.equal(await connection(), 'keep-alive', 'a ready one is as good as any');
});

test('C1: an operation of a batch says for itself whether it may be repeated', async () => {
  await using server = await startTestServer();
  server.store.failure = missed('QUORUM_NOT_MET', 'unknown');
  const operations = [
    { op: 'put', key: 'a', value: '' },
    { op: 'get', key: 'a' },
  ];
  const run = async (headers: Record<string, string>) => {
    const init = { method: 'POST', body: JSON.stringify({ operations }), headers };
    const { results } = (await (await fetch(`${server.url}/v1/kv/default:batch`, init)).json()) as {
      results: Json[];
    };
    return results;
  };
  const results = await run({});
  assert.deepEqual(
    results.map(({ status, retryable }) => [status, retryable]),
    [
      [503, false],
      [503, true],
    ],
  );
  assert.deepEqual(results[0]?.answers, ANSWERS);
  assert.deepEqual(
    (await run({ 'idempotency-key': 'k' })).map(({ retryable }) => retryable),
    [true, true],
  );
});

test('Kvorum-Epoch: a node that is behind catches up before it serves', async () => {
  await using server = await startTestServer();
  const { url, cluster } = server;
  const get = async (epoch: number) => {
    const response = await fetch(`${url}/v1/kv/default`, { headers: { 'kvorum-epoch': String(epoch) } });
    return [response.status, ((await response.json()) as Json).code];
  };
  assert.deepEqual(await get(1), [200, undefined]);
  assert.deepEqual(await get(2), [400, 'EPOCH_IN_FUTURE']);
  const newest = { ...(await cluster.readTopology('local')), epoch: toEpoch(2) };
  cluster.readTopology = async () => newest;
  const waiting = get(2);
  while (cluster.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
  cluster.addMember('node-2');
  assert.deepEqual(await waiting, [200, undefined]);
  cluster.readTopology = () => assert.fail('what was applied once is not asked for again');
  assert.deepEqual(await get(2), [200, undefined]);
});

test('Kvorum-Epoch: where it cannot catch up in time it does not serve', async () => {
  await using server = await startTestServer({ catchUpMsMax: 30 });
  const newest = { ...(await server.cluster.readTopology('local')), epoch: toEpoch(2) };
  server.cluster.readTopology = async () => newest;
  const response = await fetch(server.url + KEY, { method: 'DELETE', headers: { 'kvorum-epoch': '2' } });
  assert.deepEqual([response.status, ((await response.json()) as Json).code], [503, 'NO_LEADER']);
});
