import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer, type TestServer } from './test-server.ts';

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!(await condition())) {
    assert.ok(performance.now() < endMs, 'the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function gauge(server: TestServer, name: string): Promise<number> {
  const metric = await server.metrics.registry.getSingleMetric(`kvorum_http_${name}`)?.get();
  return metric?.values[0]?.value as number;
}

const wait = (server: TestServer, query: string, init?: RequestInit): Promise<Response> =>
  fetch(`${server.url}/v1/topology?${query}`, init);

test('after an old epoch the topology comes at once, after the present one with its change', async () => {
  await using server = await startTestServer();
  server.cluster.addMember('node-2');
  assert.equal((await wait(server, 'after=1&waitMs=60000')).headers.get('etag'), '"2"');
  const waiting = wait(server, 'after=2&waitMs=60000');
  await until(() => server.cluster.waiting === 1);
  server.cluster.addMember('node-3');
  const response = await waiting;
  const { epoch } = (await response.json()) as { epoch: number };
  assert.deepEqual([response.status, response.headers.get('etag'), epoch], [200, '"3"', 3]);
});

test('a change that does not raise the epoch above the one asked for wakes nobody', async () => {
  await using server = await startTestServer();
  const waiting = wait(server, 'after=2&waitMs=60000');
  await until(() => server.cluster.waiting === 1);
  server.cluster.addMember('node-2');
  await until(() => server.cluster.waiting === 1);
  server.cluster.addMember('node-3');
  assert.equal((await waiting).headers.get('etag'), '"3"');
});

test('without a change in time the answer is 304 with the epoch that there is', async () => {
  await using server = await startTestServer({ topologyWaitMsDefault: 50 });
  for (const query of [
    'after=1',
    'after=1&waitMs=0',
    'after=1&waitMs=50',
    'after=9007199254740991&waitMs=20',
  ]) {
    const response = await wait(server, query);
    assert.deepEqual([response.status, response.headers.get('etag')], [304, '"1"'], query);
  }
  assert.equal(server.cluster.waiting, 0);
});

test('a client that goes away ends its wait', async () => {
  await using server = await startTestServer();
  const gone = new AbortController();
  const waiting = assert.rejects(wait(server, 'after=1&waitMs=60000', { signal: gone.signal }));
  await until(() => server.cluster.waiting === 1);
  gone.abort();
  await waiting;
  await until(() => server.cluster.waiting === 0);
  assert.deepEqual(
    [await gauge(server, 'waiting_requests'), await gauge(server, 'in_flight_requests')],
    [0, 0],
  );
  const counted = (await server.metrics.registry.getSingleMetric('kvorum_http_requests_total')?.get())
    ?.values;
  assert.deepEqual(
    counted?.map(({ labels }) => labels.code),
    ['499'],
  );
});

test('a client that goes away ends a change that is under way', async () => {
  await using server = await startTestServer();
  const held = Promise.withResolvers<void>();
  server.cluster.gate = held.promise;
  const gone = new AbortController();
  const request = fetch(`${server.url}/v1/members/node-1:remove`, { method: 'POST', signal: gone.signal });
  await until(async () => (await gauge(server, 'in_flight_requests')) === 1);
  gone.abort();
  await assert.rejects(request);
  held.resolve();
  await until(async () => (await gauge(server, 'in_flight_requests')) === 0);
});

test('who waits is not in flight, and has a limit of its own', async () => {
  await using server = await startTestServer({ inFlightRequestsMax: 1, waitingRequestsMax: 2 });
  const waiting: Promise<Response>[] = [];
  for (const count of [1, 2]) {
    waiting.push(wait(server, 'after=1&waitMs=60000'));
    await until(() => server.cluster.waiting === count);
  }
  assert.deepEqual(
    [await gauge(server, 'waiting_requests'), await gauge(server, 'in_flight_requests')],
    [2, 0],
  );
  assert.equal((await fetch(`${server.url}/v1/namespaces`)).status, 200, 'there is room for work');
  const refused = await wait(server, 'after=1');
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1']);
  assert.match(await refused.text(), /"code":"OVERLOADED"/);
  server.cluster.addMember('node-2');
  for (const response of waiting) assert.equal((await response).status, 200);
});

test('closing the server lets go of who waits', async () => {
  const server = await startTestServer();
  const waiting = wait(server, 'after=1&waitMs=60000');
  await until(() => server.cluster.waiting === 1);
  const closed = server.http.close(30_000);
  const response = await waiting;
  assert.deepEqual([response.status, response.headers.get('connection')], [304, 'close']);
  await closed;
});

test('many who wait are woken by one change', async () => {
  await using server = await startTestServer();
  const waiting = Array.from({ length: 100 }, () => wait(server, 'after=1&waitMs=60000'));
  await until(() => server.cluster.waiting === 100);
  server.cluster.addMember('node-2');
  const epochs = await Promise.all(
    waiting.map(async (response) => ((await (await response).json()) as { epoch: number }).epoch),
  );
  assert.deepEqual(new Set(epochs), new Set([2]));
});
