import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvError } from '../../storage/errors.ts';
import { answerSchemas } from './schemas.ts';
import { startTestServer, type TestServer } from './test-server.ts';

type Json = Record<string, unknown>;

/** Three members that all hold everything, and one key. */
async function placed(changes?: Parameters<typeof startTestServer>[0]): Promise<TestServer> {
  const server = await startTestServer(changes);
  for (const name of ['node-2', 'node-3']) server.cluster.addMember(name);
  server.cluster.placePartitions();
  await fetch(`${server.url}/v1/kv/default/a%2Fb`, { method: 'PUT', body: 'v' });
  return server;
}

async function json(server: TestServer, path: string, init?: RequestInit): Promise<Json> {
  const response = await fetch(server.url + path, init);
  return (await response.json()) as Json;
}

async function lines(response: Response): Promise<Json[]> {
  const text = await response.text();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Json);
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!condition()) {
    assert.ok(performance.now() < endMs, 'the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('GET /v1/ring: members, sets and balance of one epoch', async () => {
  await using server = await placed();
  const response = await fetch(`${server.url}/v1/ring`);
  const ring = answerSchemas.Ring.strict().parse(await response.json());
  assert.deepEqual([response.headers.get('etag'), ring.epoch, ring.sets.length], ['"4"', 4, 4]);
  assert.deepEqual(
    ring.balance.members.map(({ partitions }) => partitions),
    [4, 4, 4],
  );
  const known = await fetch(`${server.url}/v1/ring`, { headers: { 'if-none-match': '"4"' } });
  assert.deepEqual([known.status, known.headers.get('etag')], [304, '"4"']);
});

test('GET /v1/ring?after= waits for a later epoch, and is 304 where there is none in time', async () => {
  await using server = await placed();
  assert.equal((await fetch(`${server.url}/v1/ring?after=4&waitMs=20`)).status, 304);
  const waiting = fetch(`${server.url}/v1/ring?after=4&waitMs=60000`);
  await until(() => server.cluster.waiting === 1);
  server.cluster.addMember('node-4');
  const response = await waiting;
  assert.deepEqual([response.status, response.headers.get('etag')], [200, '"5"']);
});

test('GET /v1/locate/{key}: slot and replicas, of any bytes', async () => {
  await using server = await placed();
  server.cluster.liveness.set(2, 'dead');
  const place = answerSchemas.KeyPlace.strict().parse(await json(server, '/v1/locate/{user}.1/x%ff'));
  assert.deepEqual(
    [place.key, place.keyBase64, place.slot],
    [undefined, Buffer.from([...Buffer.from('{user}.1/x'), 255]).toString('base64'), 5474],
  );
  assert.deepEqual(
    place.replicas.map(({ name, isUp, isPrimary }) => [name, isUp, isPrimary]),
    [
      ['node-1', true, true],
      ['node-2', false, false],
      ['node-3', true, false],
    ],
  );
});

test('GET /v1/explain/{namespace}/{key}: the verdict first, then what each replica says', async () => {
  await using server = await placed();
  server.data.reports.set(3, 'TIMEOUT').set(2, { version: undefined });
  const stored = await server.store.get('default', Buffer.from('a/b'));
  server.data.hints = [{ keeper: 'node-1', owner: 'node-3', version: stored!.version }];
  const explanation = answerSchemas.KeyExplanation.strict().parse(
    await json(server, '/v1/explain/default/a/b'),
  );
  assert.deepEqual(
    [explanation.namespace, explanation.key, explanation.safety],
    ['default', 'a/b', 'at-risk'],
  );
  assert.match(
    explanation.verdict,
    /^only 1 of 3 replicas hold version [0-9a-f]{12}-0000-1; node-2 is behind/,
  );
  assert.deepEqual(
    explanation.replicas.map(({ isReachable, error, report }) => [
      isReachable,
      error,
      report?.version === undefined,
    ]),
    [
      [true, undefined, false],
      [true, undefined, true],
      [false, 'TIMEOUT', true],
    ],
  );
  assert.equal(explanation.hints[0]?.version, explanation.replicas[0]?.report?.version);
});

test('POST /v1/verify streams how far it is, and ends with the report', async () => {
  await using server = await placed();
  server.data.problems = ['partition 2: node-3 is down'];
  const response = await fetch(`${server.url}/v1/verify?node=node-1`, { method: 'POST' });
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
  const all = (await lines(response)).map((line) => answerSchemas.VerifyLine.strict().parse(line));
  assert.deepEqual(all.slice(0, 2), [
    { type: 'progress', done: 1, total: 4 },
    { type: 'progress', done: 2, total: 4 },
  ]);
  const report = all.at(-1);
  assert.deepEqual(
    [report?.type, report?.partitions, report?.equal, report?.problems],
    ['report', 4, 3, server.data.problems],
  );
  assert.equal(report?.members?.length, 3);
});

test('POST /v1/verify: refusals before the first line are problems, those behind it end the stream', async () => {
  await using server = await placed();
  const unknown = await fetch(`${server.url}/v1/verify?node=nobody`, { method: 'POST' });
  assert.deepEqual([unknown.status, ((await unknown.json()) as Json).code], [404, 'MEMBER_NOT_FOUND']);
  server.data.failure = new KvError('STORAGE_FAILED', 'gone');
  const all = await lines(await fetch(`${server.url}/v1/verify`, { method: 'POST' }));
  const last = answerSchemas.VerifyLine.strict().parse(all.at(-1));
  assert.deepEqual([all.length, last.type, last.problem?.code], [5, 'problem', 'STORAGE_FAILED']);
});

test('POST /v1/verify shows life while nothing moves, is limited, and ends with its client', async () => {
  await using server = await placed({ streamLineMsMax: 10, verifiesMax: 1 });
  const held = Promise.withResolvers<void>();
  server.data.gate = held.promise;
  const gone = new AbortController();
  const response = await fetch(`${server.url}/v1/verify`, { method: 'POST', signal: gone.signal });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = '';
  while (text.split('\n').length < 4) text += Buffer.from((await reader.read()).value ?? []).toString();
  assert.deepEqual(new Set(text.trimEnd().split('\n')), new Set(['{"type":"progress","done":1,"total":4}']));
  const refused = await fetch(`${server.url}/v1/verify`, { method: 'POST' });
  assert.deepEqual([refused.status, ((await refused.json()) as Json).code], [503, 'OVERLOADED']);
  gone.abort();
  await until(() => server.data.wasAborted);
  held.resolve();
  server.data.gate = undefined;
  let next: Response;
  do next = await fetch(`${server.url}/v1/verify`, { method: 'POST' });
  while (next.status === 503);
  assert.equal((await lines(next)).at(-1)?.type, 'report');
});

test('GET /v1/local/{namespace}: pages of what this node holds, with what was deleted', async () => {
  await using server = await placed();
  for (const key of ['b', 'c'])
    await fetch(`${server.url}/v1/kv/default/${key}`, { method: 'PUT', body: key });
  const first = answerSchemas.LocalPage.strict().parse(await json(server, '/v1/local/default?limit=2'));
  assert.deepEqual(
    first.entries.map(({ key, value }) => [key, value]),
    [
      ['a/b', 'v'],
      ['b', 'b'],
    ],
  );
  const path = `/v1/local/default?limit=2&tombstones=true&cursor=${first.cursor}`;
  const second = answerSchemas.LocalPage.strict().parse(await json(server, path));
  assert.deepEqual(
    second.entries.map(({ key, value, isTombstone }) => [key, value, isTombstone]),
    [
      ['c', 'c', false],
      ['~deleted', undefined, true],
    ],
  );
  assert.equal(second.cursor, null);
});

test('GET /v1/repair tells of hints, exchanges and trees', async () => {
  await using server = await placed();
  server.data.state = {
    ...server.data.state,
    exchange: { ...server.data.state.exchange, lastRoundMs: Date.UTC(2026, 0, 2) },
    replica: { state: 'out', reason: 'too many damaged records' },
    hints: { bytes: 10, count: 1, owners: [{ owner: 2, count: 1, bytes: 10, oldestMs: 0 }] },
  };
  const status = answerSchemas.RepairStatus.strict().parse(await json(server, '/v1/repair'));
  assert.deepEqual(status.hints.owners[0]?.oldestAt, '1970-01-01T00:00:00.000Z');
  assert.deepEqual(status.replica, { state: 'out', reason: 'too many damaged records' });
  assert.equal(status.exchange.lastRoundAt, '2026-01-02T00:00:00.000Z');
});
